/** Where the names of networks are: /run/netns, and /var/run/netns on machines where that is another directory. */
import { NamespaceSet } from 'nsset'
import { describe, expect } from 'vitest'
import { askPlainNode, byNsenter } from '../setup/programs/plain-node.ts'
import { asRoot } from '../setup/sets/privilege.ts'

const REASON = 'names are mounts, which take root'

/** A machine with an empty /run and /var, made by a script: in a mount namespace of its own. */
async function machine(script: string): Promise<NamespaceSet> {
  const set = await NamespaceSet.unshare('mnt', {
    mounts: [
      { type: 'tmpfs', target: '/run' },
      { type: 'tmpfs', target: '/var' },
    ],
  })
  await set.execFile('sh', ['-ec', script], { timeout: 10_000 })
  return set
}

/** What a program of nsset's user says on that machine. */
function said<T>(set: NamespaceSet, program: string): Promise<T> {
  const script = `import { NamespaceSet, netns } from 'nsset'\n${program}`
  return askPlainNode<T>(script, { prefix: byNsenter(`--mount=${set.path('mnt')}`) })
}

const DIRECTORY = 'console.log(JSON.stringify(netns.directory))'

describe('where /var/run is a directory of its own', () => {
  asRoot('the names are in /var/run/netns, as iproute2 has them by default', REASON, async () => {
    using set = await machine('mkdir /var/run && mount -t tmpfs run /var/run && mount --make-shared /var/run')
    // `ip netns` as it is where it was built for /var/run/netns: Debian's is, once /run is that directory. What it mounts there
    // is seen at both places.
    const ip = async (...words: string[]) => {
      const script = 'mount --rbind /var/run /run; ip netns "$@"'
      const args = ['-m', '--propagation', 'unchanged', 'sh', '-ec', script, 'sh', ...words]
      return (await set.execFile('unshare', args, { timeout: 10_000 })).stdout.trim()
    }
    await ip('add', 'theirs')
    const program = `
      await netns.create('ours')
      const theirs = netns.open('theirs')
      console.log(JSON.stringify([netns.directory, await netns.list(), theirs.kinds]))`
    expect(await said(set, program)).toEqual(['/var/run/netns', ['ours', 'theirs'], ['net']])
    expect(
      (await ip('list'))
        .split('\n')
        .map((line) => line.split(' ')[0])
        .sort(),
    ).toEqual(['ours', 'theirs'])
    expect(await ip('exec', 'ours', 'ls', '/sys/class/net')).toBe('lo')
    const remove = `
      await netns.remove('theirs')
      console.log(JSON.stringify(await netns.list()))`
    expect(await said(set, remove)).toEqual(['ours'])
    await ip('delete', 'ours')
    expect(await said(set, 'console.log(JSON.stringify(await netns.list()))')).toEqual([])
  })

  asRoot('they are in /run/netns where only that is there, as Debian builds iproute2', REASON, async () => {
    using set = await machine('mkdir /var/run; ip netns add theirs')
    const program = `
      await netns.create('ours')
      console.log(JSON.stringify([netns.directory, await netns.list()]))`
    expect(await said(set, program)).toEqual(['/run/netns', ['ours', 'theirs']])
    const { stdout } = await set.execFile('ip', ['netns', 'list'])
    expect(stdout.match(/^\w+/gm)?.sort()).toEqual(['ours', 'theirs'])
  })

  asRoot('where both are there, the other one is an option away, and an error names it', REASON, async () => {
    using set = await machine('mkdir -p /var/run/netns; ip netns add theirs')
    const program = `
      const there = netns.open('theirs', { directory: '/run/netns' })
      const message = (() => { try { netns.open('theirs') } catch (error) { return error.message } })()
      const path = (() => { try { NamespaceSet.fromPath('/var/run/netns/theirs') } catch (error) { return error.message } })()
      console.log(JSON.stringify([netns.directory, there.kinds, message, path]))`
    const hint = expect.stringContaining('there is /run/netns/theirs')
    expect(await said(set, program)).toEqual(['/var/run/netns', ['net'], hint, hint])
  })
})

asRoot('where /var/run is a link to /run, both are the same directory', REASON, async () => {
  using set = await machine('ln -s /run /var/run; ip netns add theirs')
  expect(await said(set, DIRECTORY)).toBe('/run/netns')
  const list = "console.log(JSON.stringify(await netns.list({ directory: '/var/run/netns' })))"
  expect(await said(set, list)).toEqual(['theirs'])
  using without = await machine('true')
  expect(await said(without, DIRECTORY)).toBe('/run/netns')
})
