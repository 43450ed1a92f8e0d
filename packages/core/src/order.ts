/** n, the order of secp256k1 as SEC 2 v2 (section 2.4.1) prints it: 64 hex digits. */
export const CURVE_ORDER = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141'
