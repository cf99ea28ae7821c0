import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import ts from 'typescript'
import type { Graph } from './graph.ts'

/** The TypeScript files in these folders of a directory, and what each imports. An import of a type alone counts, too. */
export function typescriptGraph(root: string, folders: readonly string[] = ['.']): Graph {
  const below = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
  )
  const files = below.filter((file) => file.endsWith('.ts') && !file.includes('node_modules'))
  return new Map(files.map((file) => [file, targetsOf(root, file, readFileSync(join(root, file), 'utf8'))]))
}

/** What a file imports, relative to the root. */
function targetsOf(root: string, file: string, text: string): Set<string> {
  const own = importsOf(text).filter((specifier) => specifier.startsWith('.'))
  return new Set(own.map((specifier) => relative(root, resolve(root, dirname(file), specifier))))
}

/** Every form of import: statements, exports, types by `import()`, calls of `import()`, and `declare module`. */
export function importsOf(text: string): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    const specifier = specifierOf(node)
    if (specifier !== undefined && ts.isStringLiteralLike(specifier)) found.push(specifier.text)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest))
  return found
}

function specifierOf(node: ts.Node): ts.Node | undefined {
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return node.moduleSpecifier
  if (ts.isImportTypeNode(node)) return ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined
  if (ts.isModuleDeclaration(node)) return node.name
  const isCall = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
  return isCall ? node.arguments[0] : undefined
}
