import type { TableRef } from '@meridian/core';
import type { Pool } from 'pg';
import type { CatalogTable } from '../catalog/catalog-table.js';
import { readTable } from '../catalog/read-table.js';
import { ReadingTransaction } from './reading-transaction.js';

/** Null: there is no such table. */
export const readCatalogTable = (pool: Pool, table: TableRef): Promise<CatalogTable | null> =>
  ReadingTransaction.run(pool, (reading) => readTable(reading.driver, table));
