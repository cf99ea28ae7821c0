/** A server of files over TLS, by name and path. */
import https from 'node:https'
import type { Certificates } from '../../sockets/certificate-authority.ts'

/** The contents of files, by the name of the host and the path: `'packages.test/main'`. */
export type Files = ReadonlyMap<string, Buffer>

/** What is asked for, and not there, is added to `missing`. */
export function serverOf(files: Files, { key, cert }: Certificates, missing: string[]): https.Server {
  return https.createServer({ key, cert }, ({ headers, url }, response) => {
    const path = `${headers.host}${url?.split('?')[0]}`
    const content = files.get(path)
    if (content === undefined) missing.push(path)
    // pip(1) requires the type of a page. The others do not look at it.
    response.writeHead(content === undefined ? 404 : 200, {
      'content-type': path.endsWith('/') ? 'text/html' : 'application/octet-stream',
    })
    response.end(content)
  })
}
