/** A server of files, by name and path. */
import type { RequestListener } from 'node:http'
import https from 'node:https'
import type { Certificates } from '../../sockets/certificate-authority.ts'

/** The contents of files, by the name of the host and the path: `'packages.test/main'`. */
export type Files = ReadonlyMap<string, Buffer>

/** A server over TLS. `programs` answer for the names of hosts that have no files. */
export function serverOf(
  files: Files,
  { key, cert }: Certificates,
  missing: string[],
  programs: ReadonlyMap<string, RequestListener> = new Map(),
): https.Server {
  const serve = listenerOf(files, missing)
  return https.createServer({ key, cert }, (request, response) => {
    const program = programs.get(request.headers.host ?? '') ?? serve
    program(request, response)
  })
}

/** What is asked for, and not there, is added to `missing`. */
export function listenerOf(files: Files, missing: string[]): RequestListener {
  return ({ headers, url }, response) => {
    const path = `${headers.host}${url?.split('?')[0]}`
    const content = files.get(path)
    if (content === undefined) missing.push(path)
    // pip(1) requires the type of a page. The others do not look at it.
    response.writeHead(content === undefined ? 404 : 200, {
      'content-type': path.endsWith('/') ? 'text/html' : 'application/octet-stream',
    })
    response.end(content)
  }
}
