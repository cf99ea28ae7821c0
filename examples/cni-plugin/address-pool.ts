import { createHash } from 'node:crypto'
import { accessSync, constants, mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { CniError, CODES, ifThere } from './errors.ts'
import type { Subnet } from './subnet.ts'

/**
 * The addresses of a network, on the disk. A reservation is a symbolic link from the address to its owner. symlink(2) creates both
 * at once or fails with EEXIST: plugins that run at the same time cannot reserve one address, and one that is killed leaves a whole
 * reservation or none, which DEL or GC releases. So the pool needs no lock that a killed plugin could leave.
 */
export class AddressPool {
  readonly #directory: string

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Reserves a free address. The place where the search begins depends on the owner, so that no address is used again at once. */
  reserve(subnet: Subnet, owner: string): string {
    mkdirSync(this.#directory, { recursive: true, mode: 0o755 })
    const start = createHash('sha256').update(owner).digest().readBigUInt64BE()
    for (const address of subnet.addresses(start)) if (this.#take(address, owner)) return address
    throw new CniError(CODES.noAddressLeft, `no address is left in ${subnet.cidr}`)
  }

  /** Releases all addresses of an owner. */
  release(owner: string): void {
    for (const address of this.addressesOf(owner)) rmSync(join(this.#directory, address), { force: true })
  }

  addressesOf(owner: string): string[] {
    return [...this.#reservations()].filter(([, of]) => of === owner).map(([address]) => address)
  }

  owners(): string[] {
    return [...new Set(this.#reservations().values())]
  }

  /** Throws if no address can be reserved. */
  requireFree(subnets: readonly Subnet[]): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o755 })
    accessSync(this.#directory, constants.W_OK)
    const taken = this.#reservations()
    for (const subnet of subnets) {
      if (!hasOtherThan(taken, subnet)) throw new CniError(CODES.noAddressLeft, `no address is left in ${subnet.cidr}`)
    }
  }

  #take(address: string, owner: string): boolean {
    try {
      symlinkSync(owner, join(this.#directory, address))
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
  }

  #reservations(): Map<string, string> {
    const addresses = ifThere(() => readdirSync(this.#directory)) ?? []
    // Another plugin can release an address meanwhile.
    const owners = addresses.map((address) => [address, ifThere(() => readlinkSync(join(this.#directory, address)))])
    return new Map(owners.filter((entry): entry is [string, string] => entry[1] !== undefined))
  }
}

function hasOtherThan(taken: Map<string, string>, subnet: Subnet): boolean {
  for (const address of subnet.addresses(0n)) if (!taken.has(address)) return true
  return false
}
