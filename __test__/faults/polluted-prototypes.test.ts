/** Programs in which other code has added properties to `Object.prototype`: they are no options, and disturb no call. */
import { expect, test } from 'vitest'
import { askPlainNode } from '../setup/programs/plain-node.ts'

test('properties of Object.prototype disturb no call', async () => {
  const program = `
    import { NamespaceSet, namespaces, systemCalls } from 'nsset'
    const unshare = () => NamespaceSet.unshare(['user', 'net', 'mnt'], {
      mapUser: 'root',
      loopback: true,
      mounts: [{ type: 'tmpfs', target: '/tmp' }, { type: 'file', target: '/tmp/bytes', content: Buffer.from('x') }],
    })
    const set = await unshare()
    const seccomp = () => systemCalls({ default: 'allow', deny: [{ name: 'uname', when: [{ index: 0, is: '==', value: 1n }] }] })
    const calls = {
      unshare: async () => (await unshare()).close(),
      unshareSync: () => NamespaceSet.unshareSync('user').close(),
      execFile: () => set.execFile('true'),
      'execFile with options': () => set.execFile('true', [], { cwd: '/', seccomp: seccomp(), limits: { openFiles: 100 } }),
      list: () => set.network.links.list(),
      add: () => set.network.addresses.ensure('lo', '10.0.0.1/32'),
      firewall: () => set.network.firewall.replace('t', { chains: { input: { hook: 'input', rules: [['accept']] } } }),
      uplink: async () => (await set.network.uplink({ allow: ['example.org'] })).close(),
      publish: async () => (await set.network.publish({ port: 0, to: { port: 80 } })).close(),
      namespaces: () => namespaces({ kinds: 'net' }),
    }
    const disturbed = []
    for (const key of ['extend', 'containerId', 'value', 'fd', 'netns', 'confinement', 'filter', 'directory']) {
      Object.prototype[key] = () => 'added by other code'
      for (const [name, call] of Object.entries(calls)) {
        if (!Object.hasOwn(calls, name)) continue
        try { await call() } catch (error) { disturbed.push(name + ' by ' + key + ': ' + error.message) }
      }
      delete Object.prototype[key]
    }
    // Without options, none are read.
    Object.assign(Object.prototype, { kinds: 'uts', uid: 5, shell: true, env: {}, timeout: 1, hostname: 'added' })
    try { await set.execFile('true') } catch (error) { disturbed.push(error.message) }
    set.close()
    console.log(JSON.stringify(disturbed))
    process.exit(0)
  `
  expect(await askPlainNode<string[]>(program)).toEqual([])
})

test('a word of megabytes is compared with no known word', async () => {
  const program = `
    import { systemCalls } from 'nsset'
    const refused = () => systemCalls({ default: 'allow', deny: ['x'.repeat(2 ** 24)] })
    try { refused() } catch ({ code }) { console.log(JSON.stringify(code)) }
  `
  expect(await askPlainNode(program)).toBe('ERR_INVALID_ARG_VALUE')
})
