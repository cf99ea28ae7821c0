import { misuse } from '../../errors.ts'

/** @internal Where a container engine answers HTTP. */
export interface Engine {
  /** As it is told in messages. */
  readonly name: string
  readonly address: { socketPath: string } | { host: string; port: number }
  /** It was asked for by name, so that it matters when nobody is there. */
  readonly isNamed: boolean
  /** The caller chose it, so that what it does not know is not looked for elsewhere. */
  readonly isFinal: boolean
}

/** @internal The one that the caller chose. */
export function chosenEngine(socketPath: string): Engine {
  return { name: socketPath, address: { socketPath }, isNamed: true, isFinal: true }
}

/** @internal The one of DOCKER_HOST, or those whose sockets are where they usually are. */
export function enginesOf(environment: NodeJS.ProcessEnv): Engine[] {
  const host = environment['DOCKER_HOST']
  if (host) return [engineOfHost(host, environment)]
  return usualSockets(environment['XDG_RUNTIME_DIR']).map((socketPath) => ({
    name: socketPath,
    address: { socketPath },
    isNamed: false,
    isFinal: false,
  }))
}

function usualSockets(runtimeDirectory: string | undefined): string[] {
  const ofUser = runtimeDirectory?.startsWith('/')
    ? [`${runtimeDirectory}/podman/podman.sock`, `${runtimeDirectory}/docker.sock`]
    : []
  return ['/var/run/docker.sock', '/run/podman/podman.sock', ...ofUser]
}

function engineOfHost(host: string, environment: NodeJS.ProcessEnv): Engine {
  if (host.startsWith('unix:///')) {
    const socketPath = host.slice('unix://'.length)
    return { name: `DOCKER_HOST ${socketPath}`, address: { socketPath }, isNamed: true, isFinal: false }
  }
  const url = URL.canParse(host) ? new URL(host) : undefined
  if (url?.protocol !== 'tcp:' || url.hostname === '' || !['', '/'].includes(url.pathname)) {
    throw unsupported(host, 'only unix:///PATH and tcp://HOST:PORT are, and neither ssh nor TLS')
  }
  if (environment['DOCKER_TLS_VERIFY']) throw unsupported(host, 'DOCKER_TLS_VERIFY asks for TLS, which is not')
  const address = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 2375) }
  return { name: `DOCKER_HOST ${url.host}`, address, isNamed: true, isFinal: false }
}

function unsupported(host: string, why: string): Error {
  const shown = host.length > 128 ? `${host.slice(0, 128)}…` : host
  const message = `DOCKER_HOST is '${shown}', which is not supported: ${why}; the option socketPath takes its place`
  return misuse('ERR_INVALID_ARG_VALUE', message)
}
