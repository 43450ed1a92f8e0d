/** Where a stored key and its passphrase come from, as far as the user says. */
export interface KeySource {
  /** The folder of stored keys. */
  readonly folder: string | undefined
  /** A descriptor that the passphrase is read from. */
  readonly passphraseFd: number | undefined
}
