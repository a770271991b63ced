{{- define "wherry.labels" -}}
app.kubernetes.io/name: wherry
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: wherry
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "wherry.podEnv" -}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: HEALTH_PORT
  value: "8081"
- name: METRICS_PORT
  value: "8080"
{{- end -}}

{{- /* The folder with the configuration. No checksum stands beside it: what is mounted is read again when it changes. */ -}}
{{- define "wherry.configMount" -}}
- {name: config, mountPath: /etc/wherry, readOnly: true}
{{- end -}}

{{- define "wherry.configVolume" -}}
- name: config
  configMap: {name: wherry-config}
{{- end -}}
