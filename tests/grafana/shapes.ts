/**
 * What a dashboard file may contain: Grafana's own published types, and, each with its reason,
 * what Grafana reads at run time but does not publish.
 */
import type {
  AnnotationContainer,
  AnnotationQuery,
  Dashboard,
  DashboardLink,
  FieldConfig,
  Panel,
  RowPanel,
} from '@grafana/schema';
import type { Options as AnnotationList } from '@grafana/schema/dist/esm/raw/composable/annotationslist/panelcfg/x/AnnotationsListPanelCfg_types.gen';
import type { Options as BarChart, FieldConfig as BarChartField } from '@grafana/schema/dist/esm/raw/composable/barchart/panelcfg/x/BarChartPanelCfg_types.gen';
import type { Options as BarGauge } from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type { CanvasElementOptions, Options as Canvas } from '@grafana/schema/dist/esm/raw/composable/canvas/panelcfg/x/CanvasPanelCfg_types.gen';
import type { Options as DashboardList } from '@grafana/schema/dist/esm/raw/composable/dashboardlist/panelcfg/x/DashboardListPanelCfg_types.gen';
import type { Options as Gauge } from '@grafana/schema/dist/esm/raw/composable/gauge/panelcfg/x/GaugePanelCfg_types.gen';
import type { Options as Heatmap, FieldConfig as HeatmapField } from '@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen';
import type { Options as Histogram, FieldConfig as HistogramField } from '@grafana/schema/dist/esm/raw/composable/histogram/panelcfg/x/HistogramPanelCfg_types.gen';
import type { Options as PieChart, FieldConfig as PieChartField } from '@grafana/schema/dist/esm/raw/composable/piechart/panelcfg/x/PieChartPanelCfg_types.gen';
import type { Options as Stat } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { Options as StateTimeline, FieldConfig as StateTimelineField } from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type { Options as StatusHistory, FieldConfig as StatusHistoryField } from '@grafana/schema/dist/esm/raw/composable/statushistory/panelcfg/x/StatusHistoryPanelCfg_types.gen';
import type { Options as Table, FieldConfig as TableField } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type { Options as TextOptions } from '@grafana/schema/dist/esm/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen';
import type { Options as TimeSeries, FieldConfig as TimeSeriesField } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type { CalculateFieldTransformerOptions } from './node_modules/@grafana/data/dist/types/transformations/transformers/calculateField';
import type { ConvertFieldTypeTransformerOptions } from './node_modules/@grafana/data/dist/types/transformations/transformers/convertFieldType';
import type { FilterFieldsByNameTransformerOptions } from './node_modules/@grafana/data/dist/types/transformations/transformers/filterByName';
import type { FilterFramesByRefIdTransformerOptions } from './node_modules/@grafana/data/dist/types/transformations/transformers/filterByRefId';
import type { FilterByValueTransformerOptions } from './node_modules/@grafana/data/dist/types/transformations/transformers/filterByValue';
import type { GroupByTransformerOptions } from './node_modules/@grafana/data/dist/types/transformations/transformers/groupBy';
import type { GroupingToMatrixTransformerOptions } from './node_modules/@grafana/data/dist/types/transformations/transformers/groupingToMatrix';
import type { JoinByFieldOptions } from './node_modules/@grafana/data/dist/types/transformations/transformers/joinByField';
import type { LabelsToFieldsOptions } from './node_modules/@grafana/data/dist/types/transformations/transformers/labelsToFields';
import type { LimitTransformerOptions } from './node_modules/@grafana/data/dist/types/transformations/transformers/limit';
import type { OrganizeFieldsTransformerOptions } from './node_modules/@grafana/data/dist/types/transformations/transformers/organize';
import type { ReduceTransformerOptions } from './node_modules/@grafana/data/dist/types/transformations/transformers/reduce';
import type { RenameByRegexTransformerOptions } from './node_modules/@grafana/data/dist/types/transformations/transformers/renameByRegex';
import type { SortByTransformerOptions } from './node_modules/@grafana/data/dist/types/transformations/transformers/sortBy';

/** JSON holds the values of an enum, not its members. */
type Plain<T> = T extends string
  ? `${T}`
  : T extends number
    ? number
    : T extends boolean
      ? boolean
      : T extends (infer U)[]
        ? Plain<U>[]
        : T extends object
          ? { [K in keyof T]: Plain<T[K]> }
          : T;

interface Source {
  type: 'prometheus';
  uid: string;
}

/** @grafana/prometheus is not a library; these are the keys that its query editor saves. */
interface PrometheusQuery {
  refId: string;
  expr: string;
  datasource?: Source;
  editorMode?: 'builder' | 'code';
  exemplar?: boolean;
  format?: 'heatmap' | 'table' | 'time_series';
  hide?: boolean;
  instant?: boolean;
  interval?: string;
  intervalFactor?: number;
  legendFormat?: string;
  range?: boolean;
}

/** The part of `DataLink` that a file can hold. */
interface Link {
  title: string;
  url: string;
  targetBlank?: boolean;
  oneClick?: boolean;
}

/** A panel's links are saved by Grafana with these keys only. */
type PanelLink = Link & Partial<Plain<DashboardLink>>;

type Standard = Omit<FieldConfig, 'custom' | 'links'> & { links?: Link[] };

type Matcher =
  | { id: 'byName'; options: string }
  | { id: 'byRegexp'; options: string }
  | { id: 'byType'; options: 'boolean' | 'number' | 'string' | 'time' }
  | { id: 'byFrameRefID'; options: string }
  | {
      id: 'byNames';
      options: { names: string[]; mode: 'exclude' | 'include'; prefix?: string; readOnly?: boolean };
    };

type Property<C> =
  | { [K in keyof Standard]-?: { id: K; value?: Plain<Standard[K]> } }[keyof Standard]
  | { [K in keyof C & string]-?: { id: `custom.${K}`; value?: Plain<C[K]> } }[keyof C & string]
  /** The only nested key that is an option of its own. */
  | { id: 'custom.hideFrom.viz'; value: boolean };

/** Every panel has a default for each key of `custom`, which Grafana fills in. */
interface FieldConfigOf<C> {
  defaults: Plain<Standard> & { custom?: Partial<Plain<C>> };
  overrides: { matcher: Matcher; properties: Property<C>[] }[];
}

/** Which results a transformation is for; the other matchers are for fields. */
type FrameMatcher = { id: 'byName' | 'byRefId'; options: string } | { id: 'byIndex'; options: number };

/** Transformations of the application itself, which publishes no types. */
interface PartitionByValues {
  fields: string[];
  keepFields?: boolean;
  naming?: { asLabels?: boolean };
}
interface RowsToFields {
  mappings?: { fieldName: string; handlerKey: string | null }[];
}
interface TimeSeriesTable {
  [refId: string]: { stat?: string; timeField?: string };
}

type Transformation<Id extends string, O> = {
  id: Id;
  options: Plain<O>;
  disabled?: boolean;
  filter?: FrameMatcher;
};

type AnyTransformation =
  | Transformation<'calculateField', CalculateFieldTransformerOptions>
  | Transformation<'convertFieldType', ConvertFieldTypeTransformerOptions>
  | Transformation<'filterByRefId', FilterFramesByRefIdTransformerOptions>
  | Transformation<'filterByValue', FilterByValueTransformerOptions>
  | Transformation<'filterFieldsByName', FilterFieldsByNameTransformerOptions>
  | Transformation<'groupBy', GroupByTransformerOptions>
  | Transformation<'groupingToMatrix', GroupingToMatrixTransformerOptions>
  | Transformation<'joinByField', JoinByFieldOptions>
  | Transformation<'labelsToFields', LabelsToFieldsOptions>
  | Transformation<'limit', LimitTransformerOptions>
  | Transformation<'merge', Record<string, never>>
  | Transformation<'organize', OrganizeFieldsTransformerOptions>
  | Transformation<'partitionByValues', PartitionByValues>
  | Transformation<'reduce', ReduceTransformerOptions>
  | Transformation<'renameByRegex', RenameByRegexTransformerOptions>
  | Transformation<'rowsToFields', RowsToFields>
  | Transformation<'sortBy', SortByTransformerOptions>
  | Transformation<'timeSeriesTable', TimeSeriesTable>;

interface PanelWith<Type extends string, O, C>
  extends Omit<
    Plain<Panel>,
    'datasource' | 'fieldConfig' | 'links' | 'options' | 'targets' | 'transformations' | 'type'
  > {
  type: Type;
  options: Plain<O>;
  datasource?: Source;
  fieldConfig?: FieldConfigOf<C>;
  links?: PanelLink[];
  targets?: PrometheusQuery[];
  transformations?: AnyTransformation[];
}

/** Elements have links, actions and one-click at run time (`CanvasElementOptions` of the panel). */
interface CanvasElement extends Omit<Plain<CanvasElementOptions>, 'config'> {
  config?: CanvasElementConfig;
  links?: Link[];
}

interface Colour {
  fixed?: string;
  field?: string;
}

/** Of text, metric-value, rectangle and ellipse; the schema says `unknown`. */
interface CanvasElementConfig {
  text?: { mode: 'field' | 'fixed' | 'template'; fixed?: string; field?: string };
  color?: Colour;
  backgroundColor?: Colour;
  borderColor?: Colour;
  size?: number;
  width?: number;
  align?: 'center' | 'left' | 'right';
  valign?: 'bottom' | 'middle' | 'top';
}

/** The root is an element like the others. */
interface CanvasWhole extends Omit<Plain<Canvas>, 'root'> {
  root: Omit<Plain<Canvas['root']>, 'elements'> &
    Pick<CanvasElement, 'background' | 'border' | 'constraint' | 'placement'> & {
      elements: CanvasElement[];
    };
}

/** "Connect null values", which the state timeline's module adds without publishing it. */
interface SpanNulls {
  spanNulls?: boolean | number;
}

export type AnyPanel =
  | PanelWith<'annolist', AnnotationList, object>
  | PanelWith<'barchart', BarChart, BarChartField>
  | PanelWith<'bargauge', BarGauge, object>
  | PanelWith<'canvas', CanvasWhole, object>
  | PanelWith<'dashlist', DashboardList, object>
  | PanelWith<'gauge', Gauge, object>
  | PanelWith<'heatmap', Heatmap, HeatmapField>
  | PanelWith<'histogram', Histogram, HistogramField>
  | PanelWith<'piechart', PieChart, PieChartField>
  | PanelWith<'stat', Stat, object>
  | PanelWith<'state-timeline', StateTimeline, StateTimelineField & SpanNulls>
  | PanelWith<'status-history', StatusHistory, StatusHistoryField>
  | PanelWith<'table', Table, TableField>
  | PanelWith<'text', TextOptions, object>
  | PanelWith<'timeseries', TimeSeries, TimeSeriesField>;

export type PanelOf<Type extends string> = Extract<AnyPanel, { type: Type }>;

/** A row's panels are checked one by one. */
export type Row = Omit<Plain<RowPanel>, 'panels'> & { panels: [] };

/** Prometheus' own keys stand in the query itself; Grafana's source has a target of tags. */
type Annotation = Omit<Plain<AnnotationQuery>, 'datasource' | 'target'> & {
  datasource: { type: 'prometheus' | 'grafana' | 'datasource'; uid: string };
  target?:
    | { type: 'tags'; tags: string[]; limit: number; matchAny: boolean }
    | { type: 'dashboard'; tags?: string[]; limit?: number; matchAny?: boolean }
    | PrometheusQuery;
  expr?: string;
  step?: string;
  tagKeys?: string;
  textFormat?: string;
  titleFormat?: string;
  useValueForTime?: boolean | string;
};

export type Whole = Omit<Plain<Dashboard>, 'annotations' | 'panels'> & {
  annotations?: Omit<Plain<AnnotationContainer>, 'list'> & { list?: Annotation[] };
};
