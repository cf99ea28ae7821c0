/**
 * What the package's types promise, in one text: every name it exports, and what else these name, in the order of names;
 * without comments, members that are private or `@hidden`, and the files that things are in. It changes when the
 * promise does, and only then.
 *
 * API Extractor writes the same declarations, but it knows no `@hidden`: it adds the constructors that only the package calls, and 21
 * types of the native binding that these name, so that a change inside of the package would be one of the promise. It also marks
 * which members have a comment, and needs the built types.
 */
import ts from 'typescript'
import { declarationsOf } from './declarations.ts'

const HEAD = `# The public types of nsset

Written by \`npm run api\`, not by hand. Who changes it changes what users rely on: the changelog has to say so.
`

/** The report on the project in a directory. */
export function apiReport(root: string): string {
  const { program, entries, has } = declarationsOf(root)
  const checker = program.getTypeChecker()
  const exported = new Map([...entries].map(([name, entry]) => [name, exportsOf(entry, checker)]))
  const all = [...exported.values()].flatMap((symbols) => [...symbols.values()])
  const named = new Set(all)
  // It grows while it is read.
  for (const symbol of named) {
    const ours = namesIn(symbol, checker).filter((other) => statementsOf(other).some((at) => has(at.getSourceFile())))
    for (const other of ours) named.add(other)
  }
  const others = [...named].slice(new Set(all).size)
  const chapters = [HEAD]
  for (const [name, symbols] of exported) {
    chapters.push(name === 'nsset' ? '## Exported\n' : `## Exported by ${name}\n`, chapterOf([...symbols]))
  }
  if (others.length > 0)
    chapters.push('## Not exported, but named\n', chapterOf(others.map((each) => [each.name, each])))
  return chapters.join('\n')
}

function exportsOf(entry: ts.SourceFile, checker: ts.TypeChecker): Map<string, ts.Symbol> {
  const module = checker.getSymbolAtLocation(entry)
  if (module === undefined) throw new Error(`${entry.fileName} exports nothing`)
  return new Map(checker.getExportsOfModule(module).map((symbol) => [symbol.name, originOf(symbol, checker)]))
}

/** Follows imports and exports to what they stand for. */
function originOf(symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
}

/** Everything that its declarations name: types, members, parameters. */
function namesIn(symbol: ts.Symbol, checker: ts.TypeChecker): ts.Symbol[] {
  const found: ts.Symbol[] = []
  const visit = (node: ts.Node): void => {
    if (isNotForUsers(node)) return
    const named = ts.isIdentifier(node) ? checker.getSymbolAtLocation(node) : undefined
    if (named !== undefined) found.push(originOf(named, checker))
    ts.forEachChild(node, visit)
  }
  statementsOf(symbol).forEach(visit)
  return found
}

/** The statements that declare it; none for a member, a parameter, or what is declared inside of something else. */
function statementsOf({ declarations = [] }: ts.Symbol): ts.Statement[] {
  return declarations
    .map((node) => (ts.isVariableDeclaration(node) ? node.parent.parent : node))
    .filter((node): node is ts.Statement & typeof node => isOfModule(node) && ts.isStatement(node))
}

/** Whether it is a statement of a file, or what a file adds to another one: `declare module './file.ts'`. */
function isOfModule({ parent }: ts.Node): boolean {
  return ts.isSourceFile(parent) || (ts.isModuleBlock(parent) && ts.isStringLiteral(parent.parent.name))
}

function chapterOf(named: [name: string, symbol: ts.Symbol][]): string {
  const sorted = named.toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `\`\`\`ts\n${sorted.map(([name, symbol]) => textOf(name, symbol)).join('\n\n')}\n\`\`\`\n`
}

function textOf(name: string, symbol: ts.Symbol): string {
  const statements = statementsOf(symbol)
  if (statements.length === 0) throw new Error(`${name} is exported, and nothing declares it`)
  const printer = ts.createPrinter({ removeComments: true, omitTrailingSemicolon: true })
  const texts = statements.map((statement) => {
    const { transformed } = ts.transform(statement, [withoutDetails])
    return printer.printNode(ts.EmitHint.Unspecified, transformed[0] as ts.Statement, statement.getSourceFile())
  })
  if (name !== symbol.name) texts.push(`export { ${symbol.name} as ${name} }`)
  return texts.join('\n')
}

/** Drops what is not for users, and writes `import('./file').Name` as the name. */
const withoutDetails: ts.TransformerFactory<ts.Statement> = (context) => {
  const visit = (node: ts.Node): ts.Node | undefined => {
    if (isNotForUsers(node)) return undefined
    const inner = ts.visitEachChild(node, visit, context)
    if (ts.isTupleTypeNode(inner)) return ts.setEmitFlags(inner, ts.EmitFlags.SingleLine)
    if (!ts.isImportTypeNode(inner) || inner.qualifier === undefined || inner.isTypeOf) return inner
    return ts.factory.createTypeReferenceNode(inner.qualifier, inner.typeArguments)
  }
  return (statement) => visit(statement) as ts.Statement
}

function isNotForUsers(node: ts.Node): boolean {
  if (!ts.isClassElement(node)) return false
  if (node.name !== undefined && ts.isPrivateIdentifier(node.name)) return true
  if (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) return true
  return ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'hidden')
}
