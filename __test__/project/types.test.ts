/** The types that users see, with the strictest settings: the fixtures in types/ specify them. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const fixtures = ['do', 'exact', 'network'].map((name) =>
  fileURLToPath(new URL(`../types/${name}.ts`, import.meta.url)),
)

/**
 * The project's own settings, except for the path to the source: `nsset` is the built package here. No types are
 * ambient, as is the default since TypeScript 6: the declarations must name those that they need.
 */
function settings(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(`${root}/tsconfig.json`, ts.sys.readFile)
  const { paths: _, ...compilerOptions } = config.compilerOptions as Record<string, unknown>
  return ts.convertCompilerOptionsFromJson({ ...compilerOptions, types: [] }, root).options
}

const service = ts.createLanguageService({
  getCompilationSettings: settings,
  getScriptFileNames: () => fixtures,
  getScriptVersion: () => '1',
  getScriptSnapshot: (file) =>
    ts.sys.fileExists(file) ? ts.ScriptSnapshot.fromString(readFileSync(file, 'utf8')) : undefined,
  getCurrentDirectory: () => root,
  getDefaultLibFileName: ts.getDefaultLibFilePath,
  fileExists: ts.sys.fileExists,
  readFile: ts.sys.readFile,
  directoryExists: ts.sys.directoryExists,
})

function messagesOf(diagnostics: readonly ts.Diagnostic[]): string[] {
  return diagnostics.map(({ file, start = 0, messageText }) => {
    const line = (file?.getLineAndCharacterOfPosition(start).line ?? -1) + 1
    return `${file?.fileName.slice(root.length)}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
}

test('the fixtures compile against the built package', () => {
  const program = service.getProgram()
  const sources = program?.getSourceFiles().map(({ fileName }) => fileName.slice(root.length)) ?? []
  expect(sources).toContain('dist/index.d.ts')
  expect(sources.filter((file) => file.startsWith('src/'))).toEqual([])
  for (const file of fixtures) {
    expect(messagesOf(service.getSyntacticDiagnostics(file))).toEqual([])
    expect(messagesOf(service.getSemanticDiagnostics(file))).toEqual([])
  }
})

test('the declarations of the package compile, without skipLibCheck', () => {
  const declarations =
    service
      .getProgram()
      ?.getSourceFiles()
      .filter(({ fileName }) => fileName.startsWith(`${root}dist/`)) ?? []
  expect(declarations.length).toBeGreaterThan(5)
  for (const { fileName } of declarations) expect(messagesOf(service.getSemanticDiagnostics(fileName))).toEqual([])
})

test('do is deprecated for asynchronous functions, and for nothing else', () => {
  for (const file of fixtures) {
    const lines = readFileSync(file, 'utf8').split('\n')
    const marked = lines.flatMap((line, index) => (line.endsWith('// deprecated') ? [index + 1] : []))
    const struck = service
      .getSuggestionDiagnostics(file)
      .filter(({ reportsDeprecated }) => reportsDeprecated)
      .map(({ file: source, start }) => source.getLineAndCharacterOfPosition(start).line + 1)
      // A call with an error matches no overload, and is reported for the first.
      .filter((line) => !lines[line - 2]?.startsWith('// @ts-expect-error'))
    expect(struck, file).toEqual(marked)
  }
})
