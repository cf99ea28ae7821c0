/** Repositories of git, as git's own program for servers answers for them: git-http-backend(1), over CGI. */
import { execFileSync, spawn } from 'node:child_process'
import type { RequestListener, ServerResponse } from 'node:http'

/** Serves the repositories below a directory, and lets clients push to `repository`. */
export function smartGit(directory: string, repository: string): RequestListener {
  execFileSync('git', ['-C', `${directory}/${repository}`, 'config', 'http.receivepack', 'true'], { timeout: 20_000 })
  return (request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://host')
    const program = spawn('git', ['http-backend'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {
        ...process.env,
        GIT_PROJECT_ROOT: directory,
        GIT_HTTP_EXPORT_ALL: '1',
        GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
        // As root, git trusts only directories of root.
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'safe.directory',
        GIT_CONFIG_VALUE_0: '*',
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        REQUEST_METHOD: request.method,
        REMOTE_USER: 'test',
        REMOTE_ADDR: request.socket.remoteAddress,
        CONTENT_TYPE: request.headers['content-type'] ?? '',
        HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      },
    })
    // The program ends before it has read everything, if it refuses the request.
    program.stdin.on('error', () => undefined)
    request.pipe(program.stdin)
    const parts: Buffer[] = []
    program.stdout.on('data', (part: Buffer) => parts.push(part))
    program.on('close', () => answer(response, Buffer.concat(parts)))
  }
}

/** The output begins with headers, and `Status` is one of them (RFC 3875). */
function answer(response: ServerResponse, output: Buffer): void {
  const end = output.indexOf('\r\n\r\n')
  for (const line of output.toString('latin1', 0, end).split('\r\n')) {
    const [name = '', value = ''] = line.split(/: (.*)/)
    if (name === 'Status') response.statusCode = Number.parseInt(value, 10)
    else response.setHeader(name, value)
  }
  response.end(output.subarray(end + 4))
}
