// duckdb_bench.mjs — DuckDB as a peer: loads text files, then answers queries line by line and
// tells what each one cost inside this process.
//
//   node duckdb_bench.mjs --database FILE [--schema FILE --from DIR] [--threads N]
//                         [--memory-limit 16GB]
//
// A database file that does not exist is made from the CREATE TABLE statements of --schema and from
// DIR/<table>.tbl (pipe-delimited, no pipe at the end of a row, not compressed). Then, on stdout:
//
//   {"ready": true, "version": "v1.5.6", "loaded": true, "load_ms": 8700.1, "database_bytes": n}
//
// and for each line of stdin one line of stdout:
//
//   {"sql": "select 1", "threads": 2, "fetch": true}
//   {"ms": 0.3, "cpu_ms": 0.4, "rows": 1, "names": [..], "types": [..], "result": [["1"]]}
//   {"error": "Parser Error: ..."}
//
// `ms` is the wall time and `cpu_ms` the processor time of this process from the text of the query
// to the last row in memory; turning rows into text ("fetch") is not part of it. End of stdin ends
// the program.
import { createRequire } from 'node:module';
import { existsSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { DuckDBInstance, version } = createRequire(import.meta.url)('@duckdb/node-api');

const TEXT_SUFFIX = '.tbl';

function sqlString(text) {
  return `'${text.replaceAll("'", "''")}'`;
}

function millisecondsOf(usage) {
  return (usage.user + usage.system) / 1000;
}

/** Makes the tables and fills those that have a file. Returns the wall time of both. */
async function load(connection, schemaFile, directory) {
  const files = readdirSync(directory).filter((name) => name.endsWith(TEXT_SUFFIX)).sort();
  if (files.length === 0) {
    throw new Error(`no *${TEXT_SUFFIX} in the directory given with --from`);
  }
  const schema = readFileSync(schemaFile, 'utf8');
  const start = performance.now();
  await connection.run(schema);
  for (const file of files) {
    const table = file.slice(0, -TEXT_SUFFIX.length);
    await connection.run(
      `copy ${table} from ${sqlString(join(directory, file))}`
      + ` (format csv, header false, delimiter '|', quote '', escape '', nullstr '\\N')`);
  }
  await connection.run('checkpoint');
  return performance.now() - start;
}

/** Runs one query to its last row and returns the answer to send. */
async function answer(connection, request, session) {
  if (request.threads !== undefined && request.threads !== session.threads) {
    await connection.run(`set threads to ${Number(request.threads)}`);
    session.threads = request.threads;
  }
  const usageBefore = process.cpuUsage();
  const start = performance.now();
  const reader = await connection.runAndReadAll(request.sql);
  const ms = performance.now() - start;
  const usage = process.cpuUsage(usageBefore);

  const reply = { ms, cpu_ms: millisecondsOf(usage), rows: reader.currentRowCount };
  if (request.fetch) {
    reply.names = reader.columnNames();
    reply.types = reader.columnTypes().map(String);
    reply.result = reader.getRows().map(
      (row) => row.map((value) => (value === null ? null : String(value))));
  }
  return reply;
}

async function serve(connection, session) {
  for await (const line of createInterface({ input: process.stdin })) {
    let reply;
    try {
      reply = await answer(connection, JSON.parse(line), session);
    } catch (error) {
      reply = { error: String(error.message ?? error) };
    }
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }
}

async function main() {
  const { values: options } = parseArgs({
    options: {
      database: { type: 'string' },
      schema: { type: 'string' },
      from: { type: 'string' },
      threads: { type: 'string', default: String(availableParallelism()) },
      'memory-limit': { type: 'string' },
    },
  });
  if (options.database === undefined) {
    throw new Error('--database is missing');
  }
  const isNew = !existsSync(options.database);
  if (isNew && (options.schema === undefined || options.from === undefined)) {
    throw new Error('there is no such database; --schema and --from are needed to make it');
  }
  const settings = { threads: options.threads };
  if (options['memory-limit'] !== undefined) {
    settings.memory_limit = options['memory-limit'];
  }
  const instance = await DuckDBInstance.create(options.database, settings);
  const connection = await instance.connect();
  const ready = { ready: true, version: version(), loaded: isNew };
  if (isNew) {
    try {
      ready.load_ms = await load(connection, options.schema, options.from);
    } catch (error) {
      connection.closeSync();
      instance.closeSync();
      rmSync(options.database, { force: true });    // half a database must not look like a whole
      rmSync(`${options.database}.wal`, { force: true });
      throw error;
    }
  }
  ready.database_bytes = statSync(options.database).size;
  process.stdout.write(`${JSON.stringify(ready)}\n`);
  await serve(connection, { threads: Number(options.threads) });
  connection.closeSync();
  instance.closeSync();
}

main().catch((error) => {
  process.stderr.write(`duckdb_bench: ${error.message ?? error}\n`);
  process.exitCode = 1;
});
