/** Something that a test has left behind. */
export interface Leak {
  readonly type: 'namespace' | 'descriptor' | 'child' | 'thread' | 'mount' | 'link' | 'name'
  /** What it is: `net:[4026532177] (descriptor 37)`, `4711 (sleep)`, `/run/tenant`, `veth0`. */
  readonly what: string
}
