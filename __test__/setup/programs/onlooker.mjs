/**
 * Another user who looks at every process again and again, at its arguments, name and status, and tries its environment,
 * until its input ends. Then it prints how many helpers it saw, and where it found the secret of its own environment.
 */
import { readdirSync, readFileSync } from 'node:fs'

const secret = process.env.SECRET
const files = ['cmdline', 'comm', 'status', 'environ']
const seen = { helpers: 0, secrets: {} }
let isOver = false
process.stdin.on('end', () => {
  isOver = true
})
process.stdin.resume()

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}

function look() {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const helpers = pids.filter((pid) => read(pid, 'cmdline').startsWith('nsset-helper'))
  seen.helpers += helpers.length
  for (const pid of helpers) {
    for (const file of files) {
      if (read(pid, file).includes(secret)) seen.secrets[file] = (seen.secrets[file] ?? 0) + 1
    }
  }
}

console.log('looking')
while (!isOver) {
  look()
  await new Promise((resolve) => setTimeout(resolve, 1))
}
console.log(JSON.stringify(seen))
