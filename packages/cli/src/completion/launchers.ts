/** The commands that the launchers in bin/ stand for. */
export const LAUNCHERS: Readonly<Record<string, string>> = {
  bc: 'bc',
  'bc-node': 'bc-node',
  mine: 'bc mine',
  chain: 'bc chain',
  sign: 'bc sign',
  'send-tx': 'bc send-tx',
  sendTransaction: 'bc send-tx',
  transactions: 'bc transactions',
  secret: 'bc secret',
  register: 'bc register',
  nodes: 'bc nodes',
  resolve: 'bc resolve',
}
