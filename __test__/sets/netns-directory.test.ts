/** The directory of network names: /run/netns, or /var/run/netns on machines where that is another directory. */
import { NamespaceSet } from 'nsset'
import { describe, expect } from 'vitest'
import { askPlainNode, byNsenter } from '../setup/programs/plain-node.ts'
import { asRoot } from '../setup/sets/privilege.ts'

const REASON = 'names are mounts, which require root'

/** A machine with an empty /run and /var, set up by a script in its own mount namespace. */
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

/** The output of a program that uses nsset on that machine. */
function printedBy<T>(set: NamespaceSet, program: string): Promise<T> {
  const script = `import { NamespaceSet, netns } from 'nsset'\n${program}`
  return askPlainNode<T>(script, { prefix: byNsenter(`--mount=${set.path('mnt')}`) })
}

const DIRECTORY = 'console.log(JSON.stringify(netns.directory))'

describe('when /var/run is a separate directory', () => {
  asRoot('the names are in /var/run/netns, the default of iproute2', REASON, async () => {
    using set = await machine('mkdir /var/run && mount -t tmpfs run /var/run && mount --make-shared /var/run')
    // `ip netns` as built for /var/run/netns: Debian's is, once /run is that directory. What it mounts there is
    // visible at both places.
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
    expect(await printedBy(set, program)).toEqual(['/var/run/netns', ['ours', 'theirs'], ['net']])
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
    expect(await printedBy(set, remove)).toEqual(['ours'])
    await ip('delete', 'ours')
    expect(await printedBy(set, 'console.log(JSON.stringify(await netns.list()))')).toEqual([])
  })

  asRoot('they are in /run/netns if only that exists, as Debian builds iproute2', REASON, async () => {
    using set = await machine('mkdir /var/run; ip netns add theirs')
    const program = `
      await netns.create('ours')
      console.log(JSON.stringify([netns.directory, await netns.list()]))`
    expect(await printedBy(set, program)).toEqual(['/run/netns', ['ours', 'theirs']])
    const { stdout } = await set.execFile('ip', ['netns', 'list'])
    expect(stdout.match(/^\w+/gm)?.sort()).toEqual(['ours', 'theirs'])
  })

  asRoot('if both exist, an option selects the other one, and an error names it', REASON, async () => {
    using set = await machine('mkdir -p /var/run/netns; ip netns add theirs')
    const program = `
      const there = netns.open('theirs', { directory: '/run/netns' })
      const message = (() => { try { netns.open('theirs') } catch (error) { return error.message } })()
      const path = (() => { try { NamespaceSet.fromPath('/var/run/netns/theirs') } catch (error) { return error.message } })()
      console.log(JSON.stringify([netns.directory, there.kinds, message, path]))`
    const hint = expect.stringContaining('there is /run/netns/theirs')
    expect(await printedBy(set, program)).toEqual(['/var/run/netns', ['net'], hint, hint])
  })
})

asRoot('when /var/run is a link to /run, both are the same directory', REASON, async () => {
  using set = await machine('ln -s /run /var/run; ip netns add theirs')
  expect(await printedBy(set, DIRECTORY)).toBe('/run/netns')
  const list = "console.log(JSON.stringify(await netns.list({ directory: '/var/run/netns' })))"
  expect(await printedBy(set, list)).toEqual(['theirs'])
  using without = await machine('true')
  expect(await printedBy(without, DIRECTORY)).toBe('/run/netns')
})
