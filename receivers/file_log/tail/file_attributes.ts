/** What a file tells about its entries: names, paths, owner, permissions. Computed once for each name a file has. */
import fs from 'node:fs';
import path from 'node:path';
import type { Value, ValueMap } from '#receivers/file_log/value.ts';

export interface FileAttributeConfig {
  readonly include_file_name: boolean;
  readonly include_file_path: boolean;
  readonly include_file_name_resolved: boolean;
  readonly include_file_path_resolved: boolean;
  readonly include_file_owner_name: boolean;
  readonly include_file_owner_group_name: boolean;
  readonly include_file_permissions: boolean;
}

/** Never throws: what cannot be found out is left out. */
export function fileAttributes(file: string, config: FileAttributeConfig): ValueMap {
  const map: ValueMap = new Map<string, Value>();
  if (config.include_file_name) map.set('log.file.name', path.basename(file));
  if (config.include_file_path) map.set('log.file.path', file);
  if (config.include_file_name_resolved || config.include_file_path_resolved) {
    let resolved = path.resolve(file);
    try {
      resolved = fs.realpathSync(file);
    } catch {
      // Gone by now: its own path has to do.
    }
    if (config.include_file_name_resolved) map.set('log.file.name_resolved', path.basename(resolved));
    if (config.include_file_path_resolved) map.set('log.file.path_resolved', resolved);
  }
  if (config.include_file_owner_name || config.include_file_owner_group_name || config.include_file_permissions) {
    const status = fs.statSync(file, { throwIfNoEntry: false });
    if (status === undefined) return map;
    if (config.include_file_permissions) map.set('log.file.permissions', (status.mode & 0o777).toString(8));
    if (config.include_file_owner_name) map.set('log.file.owner.name', nameOf('/etc/passwd', status.uid));
    if (config.include_file_owner_group_name) map.set('log.file.owner.group.name', nameOf('/etc/group', status.gid));
  }
  return map;
}

/** The name of a user or group id; the number where the system has no name for it. */
function nameOf(table: string, id: number): string {
  try {
    for (const line of fs.readFileSync(table, 'utf8').split('\n')) {
      const fields = line.split(':');
      if (fields[2] === String(id)) return fields[0]!;
    }
  } catch {
    // No such table on this system.
  }
  return String(id);
}
