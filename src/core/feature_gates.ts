/**
 * Feature gates by the Collector's ids, so that its command lines are understood. Most choose between an old and a new way of which we
 * have one: giving them is accepted. Who has both asks gateEnabled().
 */

/** Gates of the Collector 0.155 with their defaults. */
const DEFAULTS: Readonly<Record<string, boolean>> = {
  'confmap.enableMergeAppendOption': false,
  'connector.spanmetrics.excludeResourceMetrics': false,
  'connector.spanmetrics.includeCollectorInstanceID': true,
  'connector.spanmetrics.legacyMetricNames': false,
  'connector.spanmetrics.useSecondAsDefaultMetricsUnit': false,
  'exporter.file.nativeCompression': false,
  'exporter.prometheusexporter.DisableAddMetricSuffixes': true,
  'exporter.prometheusremotewritexporter.EnableMultipleWorkers': false,
  'exporter.prometheusremotewritexporter.RetryOn429': false,
  'exporter.prometheusremotewritexporter.enableSendingRW2': false,
  'extension.healthcheck.useComponentStatus': false,
  'filelog.allowFileDeletion': false,
  'filelog.allowHeaderMetadataParsing': true,
  'filelog.mtimeSortType': false,
  'filelog.protobufCheckpointEncoding': false,
  'filelog.windows.caseInsensitive': false,
  'filter.filterlog.useOTTLBridge': false,
  'filter.filtermetric.useOTTLBridge': false,
  'filter.filterspan.useOTTLBridge': false,
  'logs.assignKeys': true,
  'logs.jsonParserArray': true,
  'ottl.PanicDuplicateName': true,
  'ottl.contexts.enableOTelColContext': true,
  'ottl.functions.enableLambda': false,
  'parser.uri.ecscompliant': false,
  'pdata.useProtoPooling': false,
  'pkg.translator.prometheus.PermissiveLabelSanitization': false,
  'processor.filter.defaultErrorModeIgnore': true,
  'processor.k8sattributes.DontEmitV0K8sConventions': false,
  'processor.k8sattributes.EmitV1K8sConventions': false,
  'processor.k8sattributes.ShareProcessorBetweenPipelines': false,
  'processor.k8sattributes.telemetry.disableOldFormatMetrics': false,
  'processor.k8sattributes.telemetry.enableNewFormatMetrics': false,
  'processor.tailsamplingprocessor.metricstatcountbytessampled': false,
  'processor.tailsamplingprocessor.metricstatcountspanssampled': false,
  'processor.tailsamplingprocessor.recordpolicy': false,
  'processor.tailsamplingprocessor.tailstorageextension': false,
  'processor.transform.defaultErrorModeIgnore': true,
  'receiver.prometheusreceiver.EnableCreatedTimestampZeroIngestion': false,
  'receiver.prometheusreceiver.IgnoreScopeInfoMetric': false,
  'receiverhelper.newReceiverMetrics': false,
  'service.AllowNoPipelines': false,
  'service.profilesSupport': false,
  'spanmetrics.statusCodeConvention.useOtelPrefix': false,
  'stanza.synchronousLogEmitter': false,
  'stanza.windows.eventDrivenScraping': false,
  'telemetry.newPipelineTelemetry': false,
  'transform.flatten.logs': false,
};

const chosen = new Map<string, boolean>();

/** Takes "--feature-gates": ids with commas between, "-" before one turns it off. Returns the ids that nobody knows. */
export function setFeatureGates(text: string): string[] {
  const unknown: string[] = [];
  for (const part of text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')) {
    const id = part.replace(/^[+-]/, '');
    if (Object.hasOwn(DEFAULTS, id)) chosen.set(id, !part.startsWith('-'));
    else unknown.push(id);
  }
  return unknown;
}

/** All gates, by id. */
export function featureGates(): (readonly [id: string, enabled: boolean])[] {
  return Object.keys(DEFAULTS)
    .toSorted()
    .map((id) => [id, gateEnabled(id)]);
}

export function gateEnabled(id: string): boolean {
  return chosen.get(id) ?? DEFAULTS[id] ?? false;
}
