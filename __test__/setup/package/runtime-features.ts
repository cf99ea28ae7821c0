/**
 * The features tested in a runtime, each by its own program, which ends with a value that proves that it ran
 * inside. Each has a set of the caller, with a network whose loopback is up.
 */

/** By their names on the page. */
export const FEATURES: Record<string, string> = {
  import: `return typeof NamespaceSet.unshare === 'function'`,
  'NamespaceSet.current': `
    const { readlinkSync } = await import('node:fs')
    return NamespaceSet.current('net').id() === readlinkSync('/proc/self/ns/net')`,
  'NamespaceSet.unshare': `
    const made = await (await makeSet()).unshare('uts')
    return made.id('uts') !== NamespaceSet.current('uts').id()`,
  'NamespaceSet.unshareSync': `
    const made = (await makeSet()).unshareSync('uts')
    return made.id('uts') !== NamespaceSet.current('uts').id()`,
  'set.do': `
    const { readlinkSync } = await import('node:fs')
    const set = process.getuid() === 0 ? await makeSet() : NamespaceSet.current('net')
    return set.do(() => readlinkSync('/proc/thread-self/ns/net')) === set.id('net')`,
  'set.execFile': `
    const set = await makeSet()
    const { stdout } = await set.execFile('readlink', ['/proc/self/ns/net'])
    return stdout.trim() === set.id('net')`,
  'set.spawn': `
    const set = await makeSet()
    const child = set.spawn('readlink', ['/proc/self/ns/net'])
    let text = ''
    child.stdout.on('data', (part) => (text += part))
    const code = await new Promise((resolve, reject) => child.once('close', resolve).once('error', reject))
    return code === 0 && text.trim() === set.id('net')`,
  'set.fork': `
    const { writeFileSync } = await import('node:fs')
    const set = await makeSet()
    writeFileSync('forked.mjs', "import { readlinkSync } from 'node:fs';" +
      "process.send(readlinkSync('/proc/self/ns/net'))")
    const child = set.fork('./forked.mjs')
    const message = await new Promise((resolve, reject) => child.once('message', resolve).once('error', reject)
      .once('exit', (code) => setTimeout(reject, 1000, new Error('it ended with ' + code))))
    return message === set.id('net')`,
  'set.network.links': `
    const set = await makeSet()
    const names = (await set.network.links.list()).map(({ name }) => name)
    return names.includes('lo')`,
  'set.network.listen': `
    const net = await import('node:net')
    const set = await makeSet()
    const server = await set.network.listen(net.createServer((socket) => socket.end('inside')),
      { host: '127.0.0.1', port: 7001 })
    const output = await outputOf(peer(set, "net.connect(7001, '127.0.0.1').pipe(process.stdout)"))
    return output === 'inside' && server.address().port === 7001`,
  'set.network.connect': `
    const set = await makeSet()
    await startEcho(set, 7002)
    const socket = set.network.connect({ host: '127.0.0.1', port: 7002 })
    socket.setEncoding('utf8')
    socket.write('inside')
    const text = await new Promise((resolve, reject) => socket.once('data', resolve).once('error', reject))
    return text === 'inside'`,
  'set.network.createSocket': `
    const set = await makeSet()
    const socket = set.network.createSocket('udp4')
    await new Promise((resolve, reject) => { socket.once('error', reject); socket.bind(7003, '127.0.0.1', resolve) })
    const received = new Promise((resolve) => socket.once('message', (text, from) => {
      socket.send(String(text), from.port, from.address)
      resolve(String(text))
    }))
    const program = "const s = dgram.createSocket('udp4'); s.send('inside', 7003, '127.0.0.1');" +
      "s.once('message', (text) => { console.log(String(text)); s.close() })"
    const back = await outputOf(peer(set, program))
    // And one that binds implicitly by sending.
    const echo = "const s = dgram.createSocket('udp4');" +
      "s.on('message', (text, { port }) => s.send(text, port, '127.0.0.1'));" +
      "s.bind(7006, '127.0.0.1', () => console.log('ready'))"
    await outputOf(peer(set, echo))
    const other = set.network.createSocket('udp4')
    const echoed = new Promise((resolve) => other.once('message', (text) => resolve(String(text))))
    other.send('by itself', 7006, '127.0.0.1')
    return (await received) === 'inside' && back.trim() === 'inside' && (await echoed) === 'by itself'`,
  'set.network.fetch': `
    const set = await makeSet()
    await startHttp(set, 7004)
    const response = await set.network.fetch('http://127.0.0.1:7004/')
    return (await response.text()) === 'inside'`,
  'set.network.httpAgent': `
    const http = await import('node:http')
    const set = await makeSet()
    await startHttp(set, 7005)
    const response = await new Promise((resolve, reject) => {
      http.get('http://127.0.0.1:7005/', { agent: set.network.httpAgent() }, resolve).once('error', reject)
    })
    let text = ''
    for await (const part of response) text += part
    return text === 'inside'`,
  'set.network.httpsAgent': `
    const https = await import('node:https')
    const set = await makeSet()
    const error = await new Promise((resolve) => {
      // The server inside speaks no TLS: reaching it is sufficient.
      startHttp(set, 7007)
        .then(() => https.get('https://127.0.0.1:7007/', { agent: set.network.httpsAgent() }).once('error', resolve))
        .catch(resolve)
    })
    if (String(error.code).startsWith('ERR_NSSET')) throw error
    return error.code === 'ERR_SSL_WRONG_VERSION_NUMBER' || error.code === 'EPROTO' || error.message`,
  'set.network.connector': `
    const set = await makeSet()
    await startEcho(set, 7008)
    const connect = set.network.connector()
    const target = { hostname: '127.0.0.1', protocol: 'http:', port: '7008' }
    const socket = await new Promise((resolve, reject) => {
      connect(target, (error, socket) => (error ? reject(error) : resolve(socket)))
    })
    socket.write('inside')
    return String(await new Promise((resolve) => socket.once('data', resolve))) === 'inside'`,
  'set.network.lookup': `
    const set = await makeSet()
    const found = await new Promise((resolve, reject) => {
      set.network.lookup('localhost', 4, (error, address) => (error ? reject(error) : resolve(address)))
    })
    return found === '127.0.0.1'`,
}

/** The whole program of a feature. It prints one line: the outcome. */
export function programOf(feature: string): string {
  return `
    const say = (line) => { console.log(JSON.stringify(line)); process.exit(0) }
    const fail = (error) => say({ code: error?.code ?? null, message: String(error?.message ?? error) })
    process.on('uncaughtException', fail)
    process.on('unhandledRejection', fail)
    const { spawn } = await import('node:child_process')
    // By nsenter(1): the check must not depend on the tested feature.
    const flagsOf = (set) => [...set.kinds.map((kind) => '--' + kind + '=' + set.path(kind)), '--preserve-credentials']
    // Peers always run in Node.js.
    const NODE = process.env['PEER_NODE']
    const peer = (set, program) => spawn('timeout', ['20', 'nsenter', ...flagsOf(set), NODE, '-e', program])
    const outputOf = (child) => new Promise((resolve, reject) => {
      child.stderr.on('data', (text) => reject(new Error(String(text))))
      child.stdout.once('data', (text) => resolve(String(text)))
      child.once('error', reject)
    })
    const startEcho = (set, port) =>
      outputOf(peer(set, "net.createServer((s) => s.pipe(s)).listen(" + port +
        ", '127.0.0.1', () => console.log('ready'))"))
    const startHttp = (set, port) =>
      outputOf(peer(set, "http.createServer((_, r) => r.end('inside')).listen(" + port +
        ", '127.0.0.1', () => console.log('ready'))"))
    try {
      const { NamespaceSet } = await import('nsset')
      const makeSet = async () => {
        const kinds = process.getuid() === 0 ? ['net'] : ['user', 'net']
        return NamespaceSet.unshareSync(kinds, { loopback: true, ...(kinds.length > 1 ? { mapUser: 'root' } : {}) })
      }
      const works = await (async () => { ${FEATURES[feature]} })()
      say({ works })
    } catch (error) {
      fail(error)
    }`
}
