import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.serialization.AbstractDeserializationSchema;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Arrival and release of each declaration joined, counted and summed by office and 5-minute pane.
 *
 * <p>In one process, parallelism 1, state in RocksDB, a checkpoint a second. The sink may repeat a
 * pane after a crash; panes are upserts by key, so that does no harm. A process that finds
 * checkpoints of a killed one goes on from the newest. Settings come from the environment, as
 * counting.py says.
 */
public class FlinkJob {
  @JsonIgnoreProperties(ignoreUnknown = true)
  public static class Event {
    public String type;
    public String subject;
    public String office;
    public String occurred_at;
  }

  static final com.sun.management.OperatingSystemMXBean SYSTEM =
      (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  static final long MARK = Math.max(1, Long.parseLong(System.getenv("PEER_EVENTS")) / 12);
  static final long QUIET_NS = 30_000_000_000L;
  static volatile long events;
  static long released;

  static void say(String moment) {
    System.out.printf(
        "%s t=%.3f cpu=%.3f events=%d released=%d%n",
        moment,
        System.currentTimeMillis() / 1e3,
        SYSTEM.getProcessCpuTime() / 1e9,
        events,
        released);
    System.out.flush();
  }

  public static class Decode extends AbstractDeserializationSchema<Event> {
    private transient ObjectMapper mapper;

    @Override
    public Event deserialize(byte[] bytes) throws IOException {
      if (mapper == null) {
        mapper = new ObjectMapper();
      }
      events++;
      if (events == 1) {
        say("FIRST");
      } else if (events % MARK == 0) {
        say("MARK");
      }
      return mapper.readValue(bytes, Event.class);
    }
  }

  /** Joins the two moments of a declaration and passes on how long it took. */
  public static class Join extends KeyedProcessFunction<String, Event, Tuple2<String, Long>> {
    private transient ValueState<Tuple2<Long, Long>> declarations;

    @Override
    public void open(OpenContext context) {
      declarations =
          getRuntimeContext()
              .getState(
                  new ValueStateDescriptor<>("declarations", Types.TUPLE(Types.LONG, Types.LONG)));
    }

    @Override
    public void processElement(Event event, Context context, Collector<Tuple2<String, Long>> out)
        throws Exception {
      Tuple2<Long, Long> moments = declarations.value();
      if (moments == null) {
        moments = Tuple2.of(0L, 0L);
      }
      boolean before = moments.f0 != 0 && moments.f1 != 0;
      int place = event.type.equals("transport.arrived") ? 0 : 1;
      moments.setField(Instant.parse(event.occurred_at).getEpochSecond(), place);
      declarations.update(moments);
      if (!before && moments.f0 != 0 && moments.f1 != 0) {
        out.collect(Tuple2.of(event.office, moments.f1 - moments.f0));
      }
    }
  }

  public static class CountAndSum
      implements AggregateFunction<Tuple2<String, Long>, Tuple2<Long, Long>, Tuple2<Long, Long>> {
    @Override
    public Tuple2<Long, Long> createAccumulator() {
      return Tuple2.of(0L, 0L);
    }

    @Override
    public Tuple2<Long, Long> add(Tuple2<String, Long> value, Tuple2<Long, Long> sum) {
      released++;
      return Tuple2.of(sum.f0 + 1, sum.f1 + value.f1);
    }

    @Override
    public Tuple2<Long, Long> getResult(Tuple2<Long, Long> sum) {
      return sum;
    }

    @Override
    public Tuple2<Long, Long> merge(Tuple2<Long, Long> a, Tuple2<Long, Long> b) {
      return Tuple2.of(a.f0 + b.f0, a.f1 + b.f1);
    }
  }

  public static class Named
      extends ProcessWindowFunction<
          Tuple2<Long, Long>, Tuple2<String, String>, String, TimeWindow> {
    @Override
    public void process(
        String office,
        Context context,
        Iterable<Tuple2<Long, Long>> sums,
        Collector<Tuple2<String, String>> out) {
      Tuple2<Long, Long> sum = sums.iterator().next();
      out.collect(
          Tuple2.of(
              office + "|" + context.window().getStart() / 1000,
              "{\"n\":" + sum.f0 + ",\"s\":" + sum.f1 + "}"));
    }
  }

  public static class Encode implements KafkaRecordSerializationSchema<Tuple2<String, String>> {
    @Override
    public ProducerRecord<byte[], byte[]> serialize(
        Tuple2<String, String> pane, KafkaSinkContext context, Long timestamp) {
      return new ProducerRecord<>(
          System.getenv("PEER_OUT"), pane.f0.getBytes(), pane.f1.getBytes());
    }
  }

  /** Returns the newest whole checkpoint that an earlier process left. */
  static Optional<Path> newestCheckpoint(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      return Optional.empty();
    }
    try (Stream<Path> paths = Files.walk(folder, 3)) {
      return paths
          .filter(path -> path.endsWith("_metadata"))
          .max(Comparator.comparing(path -> path.toFile().lastModified()))
          .map(Path::getParent);
    }
  }

  /**
   * Ends a restored job, with the windows that are still open, once nothing more is read.
   *
   * <p>A bounded Kafka source that was restored is not told that there are no further partitions,
   * and waits for ever.
   */
  static void drainOnceQuiet(JobClient job, Path savepoint) throws Exception {
    long before = -1;
    long since = System.nanoTime();
    while (events == 0 || System.nanoTime() - since < QUIET_NS) {
      Thread.sleep(200);
      if (job.getJobStatus().get().isGloballyTerminalState()) {
        return;
      }
      if (events != before) {
        before = events;
        since = System.nanoTime();
      }
    }
    job.stopWithSavepoint(true, savepoint.toUri().toString(), SavepointFormatType.NATIVE).get();
  }

  public static void main(String[] arguments) throws Exception {
    Path state = Path.of(System.getenv("PEER_STATE"));
    Path checkpoints = state.resolve("checkpoints");
    Configuration settings = new Configuration();
    settings.setString("state.backend.type", "rocksdb");
    settings.setString("execution.checkpointing.incremental", "true");
    settings.setString("execution.checkpointing.interval", "1 s");
    settings.setString("execution.checkpointing.dir", checkpoints.toUri().toString());
    settings.setString(
        "execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
    settings.setString("io.tmp.dirs", state.toString());
    settings.setString("taskmanager.memory.managed.size", "256m");
    Optional<Path> restored = newestCheckpoint(checkpoints);
    restored.ifPresent(
        path -> settings.setString("execution.state-recovery.path", path.toUri().toString()));
    StreamExecutionEnvironment environment =
        StreamExecutionEnvironment.createLocalEnvironment(1, settings);
    KafkaSource<Event> source =
        KafkaSource.<Event>builder()
            .setBootstrapServers(System.getenv("PEER_BROKERS"))
            .setTopics(System.getenv("PEER_IN"))
            .setGroupId(System.getenv("PEER_GROUP"))
            .setStartingOffsets(OffsetsInitializer.earliest())
            .setBounded(OffsetsInitializer.latest())
            .setValueOnlyDeserializer(new Decode())
            .build();
    environment
        .fromSource(
            source,
            WatermarkStrategy.<Event>forBoundedOutOfOrderness(Duration.ofMinutes(1)),
            "events")
        .uid("events")
        .filter(
            event ->
                event.type.equals("transport.arrived") || event.type.equals("release.granted"))
        .keyBy(event -> event.subject)
        .process(new Join())
        .uid("declarations")
        .keyBy(joined -> joined.f0, Types.STRING)
        .window(TumblingEventTimeWindows.of(Duration.ofMinutes(5)))
        // Without it what one partition has left is late where another was read first.
        .allowedLateness(Duration.ofDays(30))
        .aggregate(new CountAndSum(), new Named())
        .uid("panes")
        .sinkTo(
            KafkaSink.<Tuple2<String, String>>builder()
                .setBootstrapServers(System.getenv("PEER_BROKERS"))
                .setRecordSerializer(new Encode())
                .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
                .build())
        .uid("out");
    JobClient job = environment.executeAsync("peers");
    if (restored.isPresent()) {
      drainOnceQuiet(job, state.resolve("drained"));
    }
    job.getJobExecutionResult().get();
    say("LAST");
    System.exit(0);
  }
}
