import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/**
 * Arrival and release of each declaration joined, counted and summed by office and 5-minute pane.
 *
 * <p>Settings come from the environment, as counting.py says; PEER_GUARANTEE is at_least_once or
 * exactly_once_v2.
 */
public class KafkaStreamsJob {
  @JsonIgnoreProperties(ignoreUnknown = true)
  public static class Event {
    public String type;
    public String subject;
    public String office;
    public String occurred_at;
  }

  static final com.sun.management.OperatingSystemMXBean SYSTEM =
      (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  static final long EVENTS = Long.parseLong(System.getenv("PEER_EVENTS"));
  static final long RELEASES = Long.parseLong(System.getenv("PEER_RELEASES"));
  static final long MARK = Math.max(1, EVENTS / 12);
  static long events;
  static long released;
  static boolean done;

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

  static void event() {
    events++;
    if (events == 1) {
      say("FIRST");
    } else if (events % MARK == 0) {
      say("MARK");
    }
  }

  static void check() {
    if (!done && events >= EVENTS && released >= RELEASES) {
      done = true;
      say("LAST");
    }
  }

  /** Joins the two moments of a declaration and passes on how long it took. */
  static class Join implements Processor<String, Event, String, Long> {
    private ProcessorContext<String, Long> context;
    private KeyValueStore<String, long[]> declarations;

    @Override
    public void init(ProcessorContext<String, Long> context) {
      this.context = context;
      declarations = context.getStateStore("declarations");
    }

    @Override
    public void process(Record<String, Event> record) {
      event();
      Event event = record.value();
      int place =
          switch (event.type) {
            case "transport.arrived" -> 0;
            case "release.granted" -> 1;
            default -> -1;
          };
      if (place >= 0) {
        long[] moments = declarations.get(event.subject);
        if (moments == null) {
          moments = new long[2];
        }
        boolean before = moments[0] != 0 && moments[1] != 0;
        moments[place] = Instant.parse(event.occurred_at).getEpochSecond();
        declarations.put(event.subject, moments);
        if (!before && moments[0] != 0 && moments[1] != 0) {
          context.forward(
              new Record<>(event.office, moments[1] - moments[0], moments[1] * 1000));
        }
      }
      check();
    }
  }

  static Serde<long[]> two() {
    return Serdes.serdeFrom(
        (topic, value) ->
            value == null
                ? null
                : ByteBuffer.allocate(16).putLong(value[0]).putLong(value[1]).array(),
        (topic, bytes) -> {
          if (bytes == null) {
            return null;
          }
          ByteBuffer buffer = ByteBuffer.wrap(bytes);
          return new long[] {buffer.getLong(), buffer.getLong()};
        });
  }

  static Serde<Event> event(ObjectMapper mapper) {
    return Serdes.serdeFrom(
        (topic, value) -> {
          throw new UnsupportedOperationException();
        },
        (topic, bytes) -> {
          try {
            return mapper.readValue(bytes, Event.class);
          } catch (java.io.IOException error) {
            throw new java.io.UncheckedIOException(error);
          }
        });
  }

  public static void main(String[] arguments) {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", System.getenv("PEER_BROKERS"));
    settings.put("application.id", System.getenv("PEER_GROUP"));
    settings.put("processing.guarantee", System.getenv("PEER_GUARANTEE"));
    settings.put("state.dir", System.getenv("PEER_STATE"));
    settings.put("num.stream.threads", 1);
    settings.put("commit.interval.ms", 1000);
    settings.put("statestore.cache.max.bytes", 64L << 20);
    settings.put("replication.factor", 1);
    settings.put("auto.offset.reset", "earliest");
    settings.put("session.timeout.ms", 10_000);

    StreamsBuilder builder = new StreamsBuilder();
    builder.addStateStore(
        Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore("declarations"), Serdes.String(), two())
            .withCachingEnabled());
    builder.stream(
            System.getenv("PEER_IN"), Consumed.with(Serdes.String(), event(new ObjectMapper())))
        .process(Join::new, "declarations")
        .groupByKey(Grouped.with("office", Serdes.String(), Serdes.Long()))
        // With a short grace a replayed backlog silently loses results.
        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMinutes(5), Duration.ofDays(30)))
        .aggregate(
            () -> new long[2],
            (office, seconds, sum) -> {
              released++;
              check();
              return new long[] {sum[0] + 1, sum[1] + seconds};
            },
            Materialized.<String, long[], WindowStore<Bytes, byte[]>>as("panes")
                .withKeySerde(Serdes.String())
                .withValueSerde(two())
                .withRetention(Duration.ofDays(31)))
        .toStream((window, sum) -> window.key() + "|" + window.window().start() / 1000)
        .mapValues(sum -> "{\"n\":" + sum[0] + ",\"s\":" + sum[1] + "}")
        .to(System.getenv("PEER_OUT"), Produced.with(Serdes.String(), Serdes.String()));

    KafkaStreams streams = new KafkaStreams(builder.build(), settings);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  streams.close(Duration.ofSeconds(20));
                  say("CLOSED");
                }));
    streams.start();
  }
}
