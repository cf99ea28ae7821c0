/** A drawing of a network. */
import { bold, cyan } from './terminal.ts'

/** One of the two hosts at the ends. */
interface Host {
  name: string
  link: string
  address: string
  runs: string
}

/** The cables in between, and their properties. */
interface Cables {
  latency: string
  rate: string
}

const HOST = 17
const SWITCH = 10
const CABLE = 13

/** Two hosts with a switch between them: 78 columns. */
export function draw(left: Host, bridge: string, right: Host, { latency, rate }: Cables): void {
  const label = (text: string) => cyan(center(text, CABLE))
  const gap = ' '.repeat(CABLE)
  const row = (a: string, cable: string, middle: string, b: string, [from, to] = ['│', '│']) => {
    const between = `${from}${cable}${to}`
    console.log(`  │ ${a.padEnd(HOST - 2)} ${between}${center(middle, SWITCH)}${between} ${b.padStart(HOST - 2)} │`)
  }

  console.log(`  ${lid(left.name, HOST)}${gap}${lid('switch', SWITCH)}${gap}${lid(right.name, HOST)}`)
  row(left.address, label(latency), '', right.address)
  row(left.link, '─'.repeat(CABLE), bridge, right.link, ['├', '┤'])
  row(left.runs, label(rate), '', right.runs)
  console.log(`  ${base(HOST)}${gap}${base(SWITCH)}${gap}${base(HOST)}`)
}

function lid(name: string, width: number): string {
  return `┌─ ${bold(name)} ${'─'.repeat(width - name.length - 3)}┐`
}

function base(width: number): string {
  return `└${'─'.repeat(width)}┘`
}

function center(text: string, width: number): string {
  return text.padStart(Math.floor((width + text.length) / 2)).padEnd(width)
}
