/**
 * The functions that are built in: one line each, sorted. Processors choose by context (FunctionDefinition.contexts) and add their own
 * (metric_functions.ts of transform).
 */
import type { FunctionDefinition } from '#ottl/function.ts';
import append from './append.ts';
import base64Decode from './base64_decode.ts';
import base64Encode from './base64_encode.ts';
import bool from './bool.ts';
import coalesce from './coalesce.ts';
import communityId from './community_id.ts';
import concat from './concat.ts';
import containsValue from './contains_value.ts';
import convertAttributesToElementsXml from './convert_attributes_to_elements_xml.ts';
import convertCase from './convert_case.ts';
import convertTextToElementsXml from './convert_text_to_elements_xml.ts';
import day from './day.ts';
import decode from './decode.ts';
import deleteIndex from './delete_index.ts';
import deleteKey from './delete_key.ts';
import deleteMatchingKeys from './delete_matching_keys.ts';
import double from './double.ts';
import duration from './duration.ts';
import extractGrokPatterns from './extract_grok_patterns.ts';
import extractPatterns from './extract_patterns.ts';
import flatten from './flatten.ts';
import fnv from './fnv.ts';
import format from './format.ts';
import formatTime from './format_time.ts';
import getXml from './get_xml.ts';
import hasPrefix from './has_prefix.ts';
import hasSuffix from './has_suffix.ts';
import hex from './hex.ts';
import hour from './hour.ts';
import hours from './hours.ts';
import indexOf from './index_of.ts';
import insertXml from './insert_xml.ts';
import int from './int.ts';
import isBool from './is_bool.ts';
import isDouble from './is_double.ts';
import isInCidr from './is_in_cidr.ts';
import isInt from './is_int.ts';
import isList from './is_list.ts';
import isMap from './is_map.ts';
import isMatch from './is_match.ts';
import isRootSpan from './is_root_span.ts';
import isString from './is_string.ts';
import isValidLuhn from './is_valid_luhn.ts';
import keepKeys from './keep_keys.ts';
import keepMatchingKeys from './keep_matching_keys.ts';
import keys from './keys.ts';
import len from './len.ts';
import limit from './limit.ts';
import log from './log.ts';
import md5 from './md5.ts';
import mergeMaps from './merge_maps.ts';
import microseconds from './microseconds.ts';
import milliseconds from './milliseconds.ts';
import minute from './minute.ts';
import minutes from './minutes.ts';
import month from './month.ts';
import murmur3Hash from './murmur3_hash.ts';
import murmur3Hash128 from './murmur3_hash128.ts';
import nanosecond from './nanosecond.ts';
import nanoseconds from './nanoseconds.ts';
import now from './now.ts';
import parseCsv from './parse_csv.ts';
import parseInt from './parse_int.ts';
import parseJson from './parse_json.ts';
import parseKeyValue from './parse_key_value.ts';
import parseSeverity from './parse_severity.ts';
import parseSimplifiedXml from './parse_simplified_xml.ts';
import parseXml from './parse_xml.ts';
import profileId from './profile_id.ts';
import removeXml from './remove_xml.ts';
import replaceAllMatches from './replace_all_matches.ts';
import replaceAllPatterns from './replace_all_patterns.ts';
import replaceMatch from './replace_match.ts';
import replacePattern from './replace_pattern.ts';
import second from './second.ts';
import seconds from './seconds.ts';
import set from './set.ts';
import sha1 from './sha1.ts';
import sha256 from './sha256.ts';
import sha512 from './sha512.ts';
import sliceToMap from './slice_to_map.ts';
import sort from './sort.ts';
import spanId from './span_id.ts';
import split from './split.ts';
import string from './string.ts';
import stringifyAll from './stringify_all.ts';
import substring from './substring.ts';
import time from './time.ts';
import toCamelCase from './to_camel_case.ts';
import toKeyValueString from './to_key_value_string.ts';
import toLowerCase from './to_lower_case.ts';
import toSnakeCase from './to_snake_case.ts';
import toUpperCase from './to_upper_case.ts';
import traceId from './trace_id.ts';
import trim from './trim.ts';
import trimPrefix from './trim_prefix.ts';
import trimSuffix from './trim_suffix.ts';
import truncateAll from './truncate_all.ts';
import truncateTime from './truncate_time.ts';
import unix from './unix.ts';
import unixMicro from './unix_micro.ts';
import unixMilli from './unix_milli.ts';
import unixNano from './unix_nano.ts';
import unixSeconds from './unix_seconds.ts';
import url from './url.ts';
import userAgent from './user_agent.ts';
import uuid from './uuid.ts';
import uuidV7 from './uuid_v7.ts';
import valuesOf from './values_of.ts';
import weekday from './weekday.ts';
import xxh128 from './xxh128.ts';
import xxh3 from './xxh3.ts';
import year from './year.ts';

export const functions: readonly FunctionDefinition[] = [
  // Converters.
  base64Decode,
  base64Encode,
  bool,
  coalesce,
  communityId,
  concat,
  containsValue,
  convertAttributesToElementsXml,
  convertCase,
  convertTextToElementsXml,
  day,
  decode,
  double,
  duration,
  extractGrokPatterns,
  extractPatterns,
  fnv,
  format,
  formatTime,
  getXml,
  hasPrefix,
  hasSuffix,
  hex,
  hour,
  hours,
  indexOf,
  insertXml,
  int,
  isBool,
  isDouble,
  isInCidr,
  isInt,
  isList,
  isMap,
  isMatch,
  isRootSpan,
  isString,
  isValidLuhn,
  keys,
  len,
  log,
  md5,
  microseconds,
  milliseconds,
  minute,
  minutes,
  month,
  murmur3Hash,
  murmur3Hash128,
  nanosecond,
  nanoseconds,
  now,
  parseCsv,
  parseInt,
  parseJson,
  parseKeyValue,
  parseSeverity,
  parseSimplifiedXml,
  parseXml,
  profileId,
  removeXml,
  second,
  seconds,
  sha1,
  sha256,
  sha512,
  sliceToMap,
  sort,
  spanId,
  split,
  string,
  substring,
  time,
  toCamelCase,
  toKeyValueString,
  toLowerCase,
  toSnakeCase,
  toUpperCase,
  traceId,
  trim,
  trimPrefix,
  trimSuffix,
  truncateTime,
  unix,
  unixMicro,
  unixMilli,
  unixNano,
  unixSeconds,
  url,
  userAgent,
  uuid,
  uuidV7,
  valuesOf,
  weekday,
  xxh128,
  xxh3,
  year,
  // Editors.
  append,
  deleteIndex,
  deleteKey,
  deleteMatchingKeys,
  flatten,
  keepKeys,
  keepMatchingKeys,
  limit,
  mergeMaps,
  replaceAllMatches,
  replaceAllPatterns,
  replaceMatch,
  replacePattern,
  set,
  stringifyAll,
  truncateAll,
];
