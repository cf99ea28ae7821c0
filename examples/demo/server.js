/** The program of one host: an ordinary web server. It notifies its parent when it listens. */
import { createServer } from 'node:http'

const [host, bytes] = process.argv.slice(2)
const large = Buffer.alloc(Number(bytes))

createServer((request, response) => response.end(request.url === '/large' ? large : 'hello')).listen(80, host, () =>
  process.send('listening'),
)
