/** What Wireshark's tshark reads in a capture. Its packages have 127 MB, so most machines that run these tests have none. */
import { execFileSync, spawnSync } from 'node:child_process'
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { expect, onTestFinished, test } from 'vitest'
import { type CapturedPacket, readCapture } from '../../setup/oracles/packets/pcapng.ts'
import { anyonesSet } from '../../setup/sets/anyones-set.ts'

const FIELDS = ['frame.time_epoch', 'frame.interface_name', 'frame.packet_flags_direction', 'udp.dstport', 'data.data']
/** The flags of a packet that was received. */
const INBOUND = '0x00000001'

const hasTshark = spawnSync('tshark', ['--version']).status === 0

test.for(['lo', 'any'] as const)('tshark reads times, directions and bytes of %s', async (link, { skip }) => {
  if (!hasTshark) skip('there is no tshark')
  using set = anyonesSet(['net'], { loopback: true })
  const capture = set.network.capture(link, { filter: 'udp port 9', direction: 'in' })
  const socket = set.network.createSocket('udp4')
  for (const text of ['one', 'two']) await new Promise((resolve) => socket.send(text, 9, '127.0.0.1', resolve))
  socket.close()
  capture.stop()
  // tshark reads no capture from a socket, which Node.js gives a program as its standard input.
  const directory = mkdtempSync(join(tmpdir(), 'nsset-tshark-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'capture.pcapng')
  await pipeline(capture, createWriteStream(file))
  const tshark = (...args: string[]) =>
    execFileSync('tshark', ['-r', file, ...args], { encoding: 'utf8', stdio: 'pipe' })
  const fields = tshark('-T', 'fields', ...FIELDS.flatMap((field) => ['-e', field]))
  const [first = '', second = ''] = readCapture(readFileSync(file)).packets.map(inSeconds)
  expect(fields.trim().split('\n')).toEqual([
    `${first}\t${link}\t${INBOUND}\t9\t${Buffer.from('one').toString('hex')}`,
    `${second}\t${link}\t${INBOUND}\t9\t${Buffer.from('two').toString('hex')}`,
  ])
  expect(tshark('-Y', '_ws.malformed')).toBe('')
})

function inSeconds({ time }: CapturedPacket): string {
  return `${time / 10n ** 9n}.${`${time % 10n ** 9n}`.padStart(9, '0')}`
}
