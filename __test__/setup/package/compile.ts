/** Compiles virtual modules, with the strictness of the project. */
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

/** The compiler's errors for each of these modules, by their virtual paths in the project. */
export function compile(modules: ReadonlyMap<string, string>): Map<string, string[]> {
  const files = new Map([...modules].map(([path, code]) => [`${ROOT}${path}`, code]))
  const read = ts.readConfigFile(`${ROOT}tsconfig.json`, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(read.config, ts.sys, ROOT, undefined, `${ROOT}tsconfig.json`)
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile } = host
  host.fileExists = (file) => files.has(file) || fileExists(file)
  host.readFile = (file) => files.get(file) ?? readFile(file)
  const program = ts.createProgram([...files.keys()], options, host)
  return new Map(
    [...modules.keys()].map((path) => [path, complaintsOf(program, program.getSourceFile(`${ROOT}${path}`))]),
  )
}

function complaintsOf(program: ts.Program, source: ts.SourceFile | undefined): string[] {
  const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
  return found.map(({ messageText, start = 0 }) => {
    const line = (source?.getLineAndCharacterOfPosition(start).line ?? 0) + 1
    return `${source?.fileName.slice(ROOT.length)}, line ${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}
