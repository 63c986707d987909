// Writes src/api/schema.d.ts: the API's types, from the committed OpenAPI document. Every integer is a `bigint`, because
// amounts and ids have 64 bits and the page must not round them.
import { writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';
import ts from 'typescript';

const document = new URL('../../../../docs/openapi.json', import.meta.url);
const target = new URL('../src/api/schema.d.ts', import.meta.url);
const bigint = ts.factory.createKeywordTypeNode(ts.SyntaxKind.BigIntKeyword);
const nothing = ts.factory.createLiteralTypeNode(ts.factory.createNull());

const nodes = await openapiTS(document, {
  transform(schema) {
    const types = [schema.type].flat();
    if (!types.includes('integer') || schema.enum) return undefined;
    return types.includes('null') ? ts.factory.createUnionTypeNode([bigint, nothing]) : bigint;
  },
});
await writeFile(target, astToString(nodes));
