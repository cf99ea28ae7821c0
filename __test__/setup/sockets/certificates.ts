/** Self-signed certificates, by openssl(1). */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { temporaryDirectory } from '../sets/temporary-directory.ts'

export interface Certificate {
  key: string
  cert: string
}

/** For one or more host names. */
export function certificateFor(...names: string[]): Certificate {
  using directory = temporaryDirectory()
  const [key, cert] = [directory.file('key.pem'), directory.file('cert.pem')]
  const subject = ['-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${names.map((name) => `DNS:${name}`).join()}`]
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  execFileSync('openssl', ['req', '-x509', ...made, ...subject, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
    timeout: 10_000,
  })
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}
