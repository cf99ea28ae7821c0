/** A certificate authority for a test, and certificates that it signs, by openssl(1). */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import type { TemporaryDirectory } from '../sets/temporary-directory.ts'

export interface Certificates {
  /** The certificate of the authority, and its file. */
  ca: string
  caFile: string
  key: string
  cert: string
}

/** For a server with these names: `'DNS:localhost,IP:127.0.0.1'`. */
export function certificatesFor(names: string, directory: TemporaryDirectory): Certificates {
  const [caKey, caFile, keyFile, certFile] = ['ca.key', 'ca.pem', 'key.pem', 'cert.pem'].map(directory.file) as [
    string,
    string,
    string,
    string,
  ]
  const extensions = directory.file('extensions')
  writeFileSync(extensions, `subjectAltName=${names}\n`)
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe', timeout: 20_000 })
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', caKey, '-out', caFile, '-days', '2', '-subj', '/CN=test authority')
  openssl('req', ...key, '-keyout', keyFile, '-out', directory.file('request'), '-subj', '/CN=test server')
  const signing = ['-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', extensions]
  openssl('x509', '-req', '-in', directory.file('request'), '-out', certFile, ...signing)
  const [ca, cert, ownKey] = [caFile, certFile, keyFile].map((file) => readFileSync(file, 'utf8')) as [
    string,
    string,
    string,
  ]
  return { ca, caFile, cert, key: ownKey }
}
