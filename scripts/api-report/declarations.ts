/** The declaration files of the API, as `npm run build:api` writes them, but in memory. */
import { basename, dirname, join } from 'node:path'
import ts from 'typescript'

/** The entries of the package: the import specifier, and the file below src. */
const ENTRIES = [
  ['nsset', 'index'],
  ['nsset/sandbox', 'sandbox/index'],
  ['nsset/testing', 'testing/index'],
] as const

const CONFIG = 'tsconfig.build.json'

export interface Declarations {
  program: ts.Program
  /** What each import specifier of the package leads to. */
  entries: Map<string, ts.SourceFile>
  /** Whether a file is one of these. */
  has(source: ts.SourceFile): boolean
}

export function declarationsOf(root: string): Declarations {
  const { options, fileNames } = configOf(root)
  const files = new Map<string, string>()
  const api = ts.createProgram(fileNames, options)
  const { diagnostics } = api.emit(undefined, (name, text) => files.set(name, text), undefined, true)
  fail(diagnostics, root)

  const host = ts.createCompilerHost(options)
  const { fileExists, readFile } = host
  host.fileExists = (file) => files.has(file) || fileExists(file)
  // It would look for no file where there is no directory, and dist may not be there.
  host.directoryExists = () => true
  host.readFile = (file) => files.get(file) ?? readFile(file)
  const paths = ENTRIES.map(([name, file]) => [name, join(options.outDir ?? root, `${file}.d.ts`)] as const)
  const built = paths.filter(([, path]) => files.has(path))
  const own = { paths: Object.fromEntries(built.map(([name, path]) => [name, [path]])), noEmit: true }
  const program = ts.createProgram([...new Map(built).values()], { ...options, ...own }, host)
  const entries = new Map(built.flatMap(([name, path]) => [[name, program.getSourceFile(path)] as const]))
  if (entries.get('nsset') === undefined) throw new Error(`${root} has no src/index.ts`)
  return { program, entries: entries as Map<string, ts.SourceFile>, has: ({ fileName }) => files.has(fileName) }
}

function configOf(root: string): ts.ParsedCommandLine {
  const file = join(root, CONFIG)
  const { config, error } = ts.readConfigFile(file, ts.sys.readFile)
  if (error !== undefined) fail([error], root)
  const parsed = ts.parseJsonConfigFileContent(config, ts.sys, dirname(file), undefined, basename(file))
  fail(parsed.errors, root)
  return parsed
}

function fail(diagnostics: readonly ts.Diagnostic[], root: string): void {
  if (diagnostics.length === 0) return
  const host = { getCanonicalFileName: String, getCurrentDirectory: () => root, getNewLine: () => '\n' }
  throw new Error(ts.formatDiagnostics(diagnostics, host))
}
