/** git over ssh: sshd(8) outside serves a program in a box that may reach one name. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { userInfo } from 'node:os'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isRoot } from '../setup/sets/privilege.ts'
import { temporaryDirectory } from '../setup/sets/temporary-directory.ts'
import { type Host, Internet, OTHER } from '../setup/uplink/internet.ts'
import { gitRepository } from '../setup/uplink/served/git-repository.ts'

const SSHD = '/usr/sbin/sshd'
const NAME = 'repository.test'
const TIME_LIMIT = 60_000
const { username } = userInfo()
const origin = temporaryDirectory()
const results = temporaryDirectory()
const hasServer = spawnSync(SSHD, ['-t', '-f', '/dev/null']).error === undefined
const WHY = 'this machine has no sshd: Debian has it in openssh-server'

let internet: Internet
let box: Host
let commit: string

beforeAll(async () => {
  internet = await Internet.create()
  if (!hasServer) return
  commit = gitRepository(NAME, origin).commit
  await internet.listen(sshServer(), 22)
  box = await internet.uplink({ allow: [`${NAME}:22`], box: { write: [results.path] } })
})
afterAll(async () => {
  await internet[Symbol.asyncDispose]()
  origin[Symbol.dispose]()
  results[Symbol.dispose]()
})

/** Each connection has an sshd of its own, as that of inetd(8): it needs no socket, and an ordinary user may run it. */
function sshServer(): net.Server {
  const [hostKey, userKey, config] = [origin.file('host'), results.file('user'), origin.file('sshd_config')]
  for (const key of [hostKey, userKey])
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key], { timeout: TIME_LIMIT })
  writeFileSync(results.file('known_hosts'), `${NAME} ${readFileSync(`${hostKey}.pub`, 'utf8')}`)
  const settings = {
    HostKey: hostKey,
    AuthorizedKeysFile: `${userKey}.pub`,
    StrictModes: 'no',
    // Without it, root may not log in on a machine where root has no password.
    UsePAM: isRoot ? 'yes' : 'no',
    PermitRootLogin: 'yes',
    PasswordAuthentication: 'no',
    PidFile: 'none',
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}\n`)
  writeFileSync(config, lines.join(''))
  // Debian creates it when the service starts.
  if (isRoot) mkdirSync('/run/sshd', { recursive: true })
  return net.createServer((socket) => {
    const server = spawn(SSHD, ['-i', '-f', config], { stdio: ['pipe', 'pipe', 'ignore'] })
    server.stdin.on('error', () => undefined)
    socket.on('error', () => server.kill()).pipe(server.stdin)
    server.stdout.pipe(socket)
  })
}

/** Runs git in the box. */
function git(...args: string[]) {
  const known = `-o UserKnownHostsFile=${results.file('known_hosts')} -o StrictHostKeyChecking=yes`
  const ssh = `ssh -F none -i ${results.file('user')} ${known} -o BatchMode=yes -o ConnectTimeout=10`
  return box.execute('git', ['-c', `core.sshCommand=${ssh}`, ...args])
}

const urlAt = (host: string) => `ssh://${username}@${host}${origin.file('project.git')}`

test('git clone and push over ssh', { timeout: TIME_LIMIT }, async (context) => {
  if (!hasServer) context.skip(WHY)
  const place = results.file('clone')
  expect(await git('clone', '--quiet', urlAt(NAME), place)).toEqual({ code: 0, stdout: '', stderr: '' })
  expect((await git('-C', place, 'rev-parse', 'HEAD')).stdout).toBe(`${commit}\n`)
  const author = ['-c', 'user.name=test', '-c', 'user.email=test@example.org']
  expect(await git('-C', place, ...author, 'commit', '--quiet', '--allow-empty', '--message=Two')).toMatchObject({
    code: 0,
  })
  expect(await git('-C', place, 'push', '--quiet', 'origin', 'main')).toMatchObject({ code: 0 })
  const { stdout } = await git('-C', place, 'rev-parse', 'HEAD')
  const local = { encoding: 'utf8', timeout: TIME_LIMIT } as const
  expect(execFileSync('git', ['-C', origin.file('project.git'), 'rev-parse', 'main'], local)).toBe(stdout)
})

test.for([
  ['another name', 'other.test', { protocol: 'dns', name: 'other.test' }],
  ['an address', OTHER, { protocol: 'tcp', address: OTHER, port: 22 }],
] as const)('%s is not reached', { timeout: TIME_LIMIT }, async ([, name, refusal], context) => {
  if (!hasServer) context.skip(WHY)
  expect(await git('ls-remote', urlAt(name))).toMatchObject({ code: 128, stdout: '' })
  expect(await box.refusals()).toContainEqual(expect.objectContaining(refusal))
})
