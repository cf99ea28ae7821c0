import { homedir } from 'node:os'
import { join } from 'node:path'

/** Below the home directory: keys, and tokens of tools. */
const IN_HOME = [
  '.ssh',
  '.aws',
  '.config/gcloud',
  '.azure',
  '.kube',
  '.docker',
  '.gnupg',
  '.git-credentials',
  '.netrc',
  '.npmrc',
  '.pypirc',
]

/** What root can read, and sockets whose servers act with the rights of others. */
const OF_SYSTEM = [
  '/root',
  '/etc/shadow',
  '/etc/shadow-',
  '/etc/gshadow',
  '/etc/gshadow-',
  '/etc/ssh',
  '/etc/ssl/private',
  '/run/docker.sock',
  '/var/run/docker.sock',
  '/run/containerd',
  '/run/podman',
]

/** @internal The places that a box hides by default. */
export function hiddenPlaces(): string[] {
  return [...IN_HOME.map((name) => join(homedir(), name)), ...OF_SYSTEM]
}
