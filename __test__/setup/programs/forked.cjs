/** What conformance-fork.test.ts forks: does what its first argument says, and tells its parent. */
const { inspect } = require('node:util')
const net = require('node:net')

const [what, ...words] = process.argv.slice(2)

const ACTIONS = {
  /** Gives back what it is sent. */
  echo: () => process.on('message', (message) => process.send(message)),
  /** Says how what it is sent looks to it, and gives it back. */
  inspect: () =>
    process.on('message', (message) =>
      process.send({ looks: inspect(message, { depth: 9 }), message }, () => undefined),
    ),
  /** Tells what it finds. */
  surroundings: () => {
    process.send({
      argv: process.argv.slice(2),
      execArgv: process.execArgv,
      argv0: process.argv0,
      title: process.title,
      node: process.execPath,
      connected: process.connected,
      channel: typeof process.channel,
      variables: Object.keys(process.env).filter((name) => name.startsWith('NODE_CHANNEL')),
      given: process.env.GIVEN,
      cwd: process.cwd(),
      ids: [process.getuid(), process.getgid()],
      isTTY: [process.stdin.isTTY, process.stdout.isTTY],
    })
    process.disconnect()
  },
  /** Sends so many messages and ends at once. */
  flood: () => {
    for (let index = 1; index < Number(words[0]); index++) process.send(index)
    // Without a wait, what is not written yet would be lost.
    process.send('last', () => process.disconnect())
  },
  exit: () => process.send('going', () => process.exit(Number(words[0]))),
  throw: () => {
    throw new Error('on purpose')
  },
  disconnect: () => {
    process.on('disconnect', () => console.log('disconnected'))
    process.disconnect()
  },
  /** Ends when its parent lets go of it. */
  wait: () => {
    process.on('disconnect', () => console.log('disconnected', process.connected))
    process.on('message', () => undefined)
    process.send('ready')
  },
  speak: () => {
    console.log('out')
    console.error('err')
    process.disconnect()
  },
  /** Accepts connections of the servers, and answers the sockets, that it is sent. */
  handles: () =>
    process.on('message', (message, handle) => {
      if (handle instanceof net.Server) handle.on('connection', (socket) => socket.end(`served inside: ${message}`))
      else if (handle instanceof net.Socket) handle.end(`answered inside: ${message}`)
      process.send(handle === undefined ? 'no handle' : handle.constructor.name)
    }),
  /** Sends a server of its own making. */
  listen: () => {
    const server = net.createServer().listen(0, '127.0.0.1', () => {
      process.send(server.address().port, server, () => {
        process.disconnect()
        server.close()
      })
    })
  },
  /** Runs the command of a message, and sends the result. */
  run: () => {
    process.send(new Function('require', words[0])(require))
    process.disconnect()
  },
}
ACTIONS[what]()
