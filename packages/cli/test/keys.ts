/** Retyped from `../shared/vectors/chain.json`: what another implementation of the protocol computes. */
export const ALICE = {
  secret: '0000000000000000000000000000000000000000000000000000000000000001',
  address: '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f817980f715baf',
}
export const BOB = {
  secret: '0000000000000000000000000000000000000000000000000000000000000002',
  address: '02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5b1c9938f',
}
export const CAROL = {
  secret: '0000000000000000000000000000000000000000000000000000000000c0ffee',
  address: '032a5bbcb0eede528e6abe5f2ec50ad7887eb5677af383a460b05ee23bf892dfe50edfc73b',
}
export const CHAIN = 'bf0e701bb5f9a00162778790a123eb76b042ced74dbb0ea09f6b9017392564f2'

/** Alice to Bob, 5 coins, no fee, her first. */
export const PLAIN_SIGNATURE =
  '82167cb31db3c556c7bed1cf53870b1c2024bb7809a30f0952a74d64655cdc5e0bda90a0a68fb733b66fcb7f0ddbe6817d08c6c6b537e5c262bf307ecacaeb0a'

/** Alice to Carol, her second, as its canonical JSON. */
export const MEMO = '发票 42 — 🧾'
export const SIGNED_WITH_MEMO =
  '{"amount": 7, "fee": 2, "memo": "\\u53d1\\u7968 42 \\u2014 \\ud83e\\uddfe", "nonce": 1, "recipient": "032a5bbcb0eede528e6abe5f2ec50ad7887eb5677af383a460b05ee23bf892dfe50edfc73b", "sender": "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f817980f715baf", "signature": "2ad2ec3cbf27d874658c178d94da404c6178ce32fe3d8554395b05d18498bf696012825627818c7764db620bcfabd5b970cdfd7ca2ac6a83aa1106681e7c9c96"}'
