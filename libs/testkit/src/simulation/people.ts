import type { ParentLoss, TableName, TableSpec, UniqueLoss } from '@meridian/core';
import type { Prng } from './prng.js';

/*
 * Tables whose rows lose unique values and parents: users with two unique keys, who may have another user for a boss, in teams which
 * have a user for a lead. So there are rows that refer to themselves, chains, and circles.
 */

export const USERS = 'public.users' as TableName;
export const TEAMS = 'public.teams' as TableName;

/** What becomes of whom. */
export interface KeyPolicies {
  readonly email: UniqueLoss['kind'];
  readonly nick: UniqueLoss['kind'];
  readonly boss: ParentLoss['kind'];
  readonly team: ParentLoss['kind'];
  readonly lead: ParentLoss['kind'];
}

export function keyPolicies(r: Prng): KeyPolicies {
  const unique = () => r.pick<UniqueLoss['kind']>(['park', 'rename', 'rename', 'null', 'delete']);
  const parent = () => r.pick<ParentLoss['kind']>(['restore', 'park', 'null', 'cascade']);
  return { email: unique(), nick: unique(), boss: parent(), team: parent(), lead: parent() };
}

type Keys = Pick<TableSpec, 'uniqueKeys' | 'foreignKeys'>;

export const keysOfUsers = ({ email, nick, boss, team }: KeyPolicies): Keys => ({
  uniqueKeys: [
    {
      name: 'users_email_key',
      columns: ['email'],
      nullsDistinct: true,
      loser: uniqueLoss(email, 'email', '{value}@{region}'),
    },
    {
      name: 'users_nick_key',
      columns: ['nick'],
      nullsDistinct: true,
      loser: uniqueLoss(nick, 'nick', '{value}-{key}'),
    },
  ],
  foreignKeys: [foreignKey('users_boss_fkey', 'boss', USERS, boss), foreignKey('users_team_fkey', 'team', TEAMS, team)],
});

export const keysOfTeams = ({ lead }: KeyPolicies): Keys => ({
  uniqueKeys: [],
  foreignKeys: [foreignKey('teams_lead_fkey', 'lead', USERS, lead)],
});

function uniqueLoss(kind: UniqueLoss['kind'], column: string, template: string): UniqueLoss {
  switch (kind) {
    case 'rename':
      return { kind, column, template, longest: 9 };
    case 'null':
      return { kind, column };
    default:
      return { kind };
  }
}

const foreignKey = (name: string, column: string, parent: TableName, kind: ParentLoss['kind']) => ({
  ...{ name, columns: [column], parent, parentColumns: ['id'] },
  orphan: kind === 'null' ? { kind, columns: [column] } : { kind },
});
