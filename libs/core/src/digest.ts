/** A cryptographic hash of text, as lower-case hex. Injected: the core knows no crypto library. */
export type Digest = (text: string) => string;
