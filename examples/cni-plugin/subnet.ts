import { isIP, isIPv4, SocketAddress } from 'node:net'
import { CniError, CODES } from './errors.ts'

/** A subnet of the bridge. Its first address is that of the bridge, the gateway of the containers. */
export class Subnet {
  readonly cidr: string
  readonly family: 'ipv4' | 'ipv6'
  readonly prefixLength: number
  readonly gateway: string
  /** Of the addresses for containers: the number before the first, and how many there are. */
  readonly #base: bigint
  readonly #size: bigint

  constructor(cidr: string) {
    const [, address = '', prefix] = /^([^/]+)\/(\d{1,3})$/.exec(cidr) ?? []
    const bits = isIPv4(address) ? 32 : 128
    this.prefixLength = Number(prefix)
    if (isIP(address) === 0 || (bits === 128 && address.includes('.')) || this.prefixLength > bits - 2) {
      throw new CniError(CODES.invalidConfiguration, `subnets: '${cidr}' is not a subnet with room for containers`)
    }
    this.family = bits === 32 ? 'ipv4' : 'ipv6'
    const all = 1n << BigInt(bits - this.prefixLength)
    const network = numberOf(address) & ~(all - 1n)
    this.cidr = `${addressOf(network, this.family)}/${prefix}`
    this.gateway = addressOf(network + 1n, this.family)
    this.#base = network + 2n
    // The last address of IPv4 is for broadcasts.
    this.#size = all - (bits === 32 ? 3n : 2n)
  }

  get gatewayCidr(): string {
    return `${this.gateway}/${this.prefixLength}`
  }

  /** The addresses for containers, once around from some place. */
  *addresses(start: bigint): Generator<string> {
    for (let i = 0n; i < this.#size; i++) yield addressOf(this.#base + ((start + i) % this.#size), this.family)
  }
}

function numberOf(address: string): bigint {
  if (isIPv4(address)) return address.split('.').reduce((number, byte) => (number << 8n) | BigInt(byte), 0n)
  const [left = [], right = []] = address.split('::').map((half) => half.split(':').filter((group) => group !== ''))
  const zeros = Array<string>(8 - left.length - right.length).fill('0')
  return [...left, ...zeros, ...right].reduce((number, group) => (number << 16n) | BigInt(`0x${group}`), 0n)
}

function addressOf(number: bigint, family: 'ipv4' | 'ipv6'): string {
  if (family === 'ipv4') return [24n, 16n, 8n, 0n].map((shift) => (number >> shift) & 0xffn).join('.')
  const digits = number.toString(16).padStart(32, '0')
  // In the short form of the kernel.
  return new SocketAddress({ family, address: digits.match(/.{4}/g)?.join(':') ?? '' }).address
}
