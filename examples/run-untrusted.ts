/**
 * Runs a command that you do not trust, as an ordinary user: it can read the files of the host except for keys and tokens, write
 * only to an empty directory, and reach no network. After 10 seconds everything is ended.
 * `npx tsx examples/run-untrusted.ts [COMMAND [ARGUMENT]…]`.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Sandbox } from 'nsset/sandbox'

const PROBE = 'echo made > result; ls -A ~/.ssh /root 2>&1; touch /usr/mine 2>&1; cat /sys/class/net/*/operstate'
const [command = 'sh', ...args] = process.argv.length > 2 ? process.argv.slice(2) : ['sh', '-c', PROBE]

const directory = mkdtempSync(join(tmpdir(), 'untrusted-'))
try {
  await using box = await Sandbox.create({ files: { write: [directory] }, limits: { openFiles: 256, coreSize: 0 } })
  const { stdout, stderr, exitCode, code } = await box.execFile(command, args, { timeout: 10_000, reject: false })
  process.stdout.write(stdout)
  process.stderr.write(stderr)
  if (code !== undefined) console.error(`${command} was ended: ${code}`)
  console.log(`files: ${readdirSync(directory).join(', ')}`)
  process.exitCode = exitCode ?? 1
} finally {
  rmSync(directory, { recursive: true })
}
