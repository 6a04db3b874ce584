// Bytes of a DuckDB file that holds one table.
//
//   node duckdb_size.mjs FILE 'create table …' 'insert into … | copy …' CSV
//
// Runs the statements in a new database FILE, writes the table `t` as CSV, and prints the file's
// bytes after CHECKPOINT and the version, as JSON.
import { createRequire } from 'node:module';
import { rmSync, statSync } from 'node:fs';
const require = createRequire(process.env.DUCKDB_FROM ?? import.meta.url);
const { DuckDBInstance, version } = require('@duckdb/node-api');

const [file, create, load, csv] = process.argv.slice(2);
rmSync(file, { force: true });
const instance = await DuckDBInstance.create(file);
const connection = await instance.connect();
await connection.run(create);
await connection.run(load);
await connection.run(`copy t to '${csv}' (header false, delimiter '|', nullstr '')`);
await connection.run('checkpoint');
connection.closeSync();
instance.closeSync();
console.log(JSON.stringify({ bytes: statSync(file).size, version: version() }));
