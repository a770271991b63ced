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

{{- /* Metadata of a hook. Takes: the root, name, hook, weight, the policy of its deletion, and whether it is clusterWide. */ -}}
{{- define "wherry.hookMeta" -}}
name: {{ .name }}
{{- if not .clusterWide }}
namespace: {{ .root.Release.Namespace }}
{{- end }}
labels:
  {{- include "wherry.labels" .root | nindent 2 }}
  app.kubernetes.io/component: hook
annotations:
  helm.sh/hook: {{ .hook }}
  helm.sh/hook-weight: {{ .weight | quote }}
  helm.sh/hook-delete-policy: {{ .delete | default "before-hook-creation,hook-succeeded" }}
{{- end -}}

{{- /* A pod that runs a hook in the operator's image. Takes: the root, the account, the hook, and more variables. */ -}}
{{- define "wherry.hookPod" -}}
serviceAccountName: {{ .account }}
restartPolicy: Never
{{- with .root.Values.images.pullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.operator.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.operator.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
containers:
- name: hook
  image: {{ .root.Values.images.operator }}
  imagePullPolicy: {{ .root.Values.images.pullPolicy }}
  command: [/usr/bin/node, /app/hook.js, {{ .hook }}]
  env:
  - {name: RELEASE, value: {{ .root.Release.Name | quote }}}
  - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
  - {name: POD_UID, valueFrom: {fieldRef: {fieldPath: metadata.uid}}}
  - {name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
  {{- with .env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
  resources: {requests: {cpu: 10m, memory: 64Mi}}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: {drop: [ALL]}
{{- end -}}
