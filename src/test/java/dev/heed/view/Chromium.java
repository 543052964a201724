package dev.heed.view;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A headless Chromium without a network. Tests drive it like a user, through the DevTools protocol. */
final class Chromium implements AutoCloseable {
    private static final List<String> NAMES =
            List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");
    private static final String ANNOUNCED = "DevTools listening on ";
    private static final int SHIFT = 8;

    private final Process process;
    private final Path profile;
    private final WebSocket socket;
    private final Map<Integer, CompletableFuture<JsonObject>> answers = new ConcurrentHashMap<>();
    private final List<JsonObject> events = new CopyOnWriteArrayList<>();
    private final AtomicInteger ids = new AtomicInteger();
    private String session = "";

    private Chromium(Process process, Path profile, URI address) {
        this.process = process;
        this.profile = profile;
        this.socket = HttpClient.newHttpClient()
                .newWebSocketBuilder()
                .buildAsync(address, new Answers())
                .join();
    }

    /** Starts a browser; if none is installed, the test is skipped. */
    static Chromium start() throws IOException {
        Path program = find();
        assumeTrue(
                program != null,
                "no Chromium: apt install chromium, or name a browser with -Dheed.chromium=/path/to/it");
        Path profile = Files.createTempDirectory("heed-chromium");
        var builder = new ProcessBuilder(
                String.valueOf(program),
                "--headless=new",
                "--no-sandbox", // tests may run as root
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-extensions",
                "--no-first-run",
                "--hide-scrollbars",
                "--force-color-profile=srgb",
                "--proxy-server=127.0.0.1:9", // no server listens there, so every network access fails
                "--remote-debugging-port=0",
                "--user-data-dir=" + profile,
                "about:blank");
        Process process =
                builder.redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        var said = new BufferedReader(new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8));
        List<String> lines = new ArrayList<>();
        for (String line = said.readLine(); line != null; line = said.readLine()) {
            lines.add(line);
            if (line.startsWith(ANNOUNCED)) {
                Thread.ofPlatform().daemon().start(() -> drain(said));
                var chromium = new Chromium(process, profile, URI.create(line.substring(ANNOUNCED.length())));
                chromium.attach();
                return chromium;
            }
        }
        throw new IOException(program + " ended before it could be driven: " + String.join(" | ", lines));
    }

    private static void drain(BufferedReader said) {
        try {
            said.transferTo(java.io.Writer.nullWriter());
        } catch (IOException e) {
            throw new UncheckedIOException("reading the output of the browser", e);
        }
    }

    private static @Nullable Path find() {
        String named = System.getProperty("heed.chromium", "");
        if (!named.isEmpty()) {
            return Path.of(named);
        }
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(java.io.File.pathSeparator))
                .flatMap(folder -> NAMES.stream().map(name -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(null);
    }

    private void attach() {
        String target = call("Target.createTarget", Map.of("url", "about:blank"))
                .get("targetId")
                .getAsString();
        session = call("Target.attachToTarget", Map.of("targetId", target, "flatten", true))
                .get("sessionId")
                .getAsString();
        for (String domain : List.of("Page", "Runtime", "Network", "Log")) {
            call(domain + ".enable", Map.of());
        }
        call(
                "Network.emulateNetworkConditions",
                Map.of("offline", true, "latency", 0, "downloadThroughput", 0, "uploadThroughput", 0));
        // Without this, a headless page has no focus and none of its elements is ever :focus-visible.
        call("Emulation.setFocusEmulationEnabled", Map.of("enabled", true));
    }

    // ---------------------------------------------------------------- the protocol

    /** A listener that joins the pieces of a message and separates answers from events. */
    private final class Answers implements WebSocket.Listener {
        private final StringBuilder message = new StringBuilder();

        @Override
        public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence data, boolean last) {
            message.append(data);
            if (last) {
                JsonObject json = JsonParser.parseString(message.toString()).getAsJsonObject();
                message.setLength(0);
                if (json.has("id")) {
                    answers.get(json.get("id").getAsInt()).complete(json);
                } else {
                    events.add(json);
                }
            }
            from.request(1);
            return null;
        }
    }

    private JsonObject call(String method, Map<String, ?> parameters) {
        int id = ids.incrementAndGet();
        var command = new JsonObject();
        command.addProperty("id", id);
        command.addProperty("method", method);
        command.add("params", new com.google.gson.Gson().toJsonTree(parameters));
        if (!session.isEmpty()) {
            command.addProperty("sessionId", session);
        }
        var answer = new CompletableFuture<JsonObject>();
        answers.put(id, answer);
        socket.sendText(command.toString(), true).join();
        JsonObject json = answer.orTimeout(120, TimeUnit.SECONDS).join();
        answers.remove(id);
        if (json.has("error")) {
            throw new IllegalStateException(method + ": " + json.get("error"));
        }
        return json.getAsJsonObject("result");
    }

    // ---------------------------------------------------------------- what a reader does

    void size(int width, int height) {
        call(
                "Emulation.setDeviceMetricsOverride",
                Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
    }

    /** Runs a script in every page before the page's own scripts. */
    void before(String script) {
        call("Page.addScriptToEvaluateOnNewDocument", Map.of("source", script));
    }

    void downloadTo(Path folder) {
        call("Browser.setDownloadBehavior", Map.of("behavior", "allow", "downloadPath", folder.toString()));
    }

    void preferDark(boolean dark) {
        call(
                "Emulation.setEmulatedMedia",
                Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
    }

    /** Opens a file and waits until the page is drawn. */
    void open(Path file, String hash) {
        call("Page.navigate", Map.of("url", "about:blank"));
        call("Page.navigate", Map.of("url", file.toUri() + hash));
        await("document.documentElement?.dataset.ready !== undefined");
        settle();
    }

    /** Waits for two frames, after which a requested drawing is finished. */
    void settle() {
        js("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))");
    }

    JsonElement js(String expression) {
        JsonObject result =
                call("Runtime.evaluate", Map.of("expression", expression, "returnByValue", true, "awaitPromise", true));
        if (result.has("exceptionDetails")) {
            throw new IllegalStateException(expression + ": " + result.get("exceptionDetails"));
        }
        return result.getAsJsonObject("result").has("value")
                ? result.getAsJsonObject("result").get("value")
                : com.google.gson.JsonNull.INSTANCE;
    }

    void await(String condition) {
        for (int i = 0; i < 1200; i++) {
            if (js("!!(" + condition + ")").getAsBoolean()) {
                return;
            }
            try {
                Thread.sleep(50);
            } catch (InterruptedException e) {
                throw new IllegalStateException("waiting for " + condition, e);
            }
        }
        throw new IllegalStateException("a minute passed without " + condition + "; " + troubles());
    }

    private double[] middle(String selector) {
        var box = js("(() => { const e = document.querySelector(" + quoted(selector) + ");"
                        + " e.scrollIntoView({block: 'nearest', inline: 'nearest'});"
                        + " const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()")
                .getAsJsonArray();
        return new double[] {box.get(0).getAsDouble(), box.get(1).getAsDouble()};
    }

    static String quoted(String text) {
        return new com.google.gson.JsonPrimitive(text).toString();
    }

    private void mouse(String type, double[] at, int clicks, boolean shift) {
        call(
                "Input.dispatchMouseEvent",
                Map.of(
                        "type",
                        type,
                        "x",
                        at[0],
                        "y",
                        at[1],
                        "button",
                        clicks > 0 ? "left" : "none",
                        "clickCount",
                        clicks,
                        "modifiers",
                        shift ? SHIFT : 0));
    }

    void hover(String selector) {
        mouse("mouseMoved", middle(selector), 0, false);
        settle();
    }

    void leave() {
        mouse("mouseMoved", new double[] {2, 2}, 0, false);
        settle();
    }

    void click(String selector) {
        click(selector, false);
    }

    void click(String selector, boolean shift) {
        double[] at = middle(selector);
        mouse("mouseMoved", at, 0, shift);
        settle();
        mouse("mousePressed", at, 1, shift);
        mouse("mouseReleased", at, 1, shift);
        settle();
    }

    /** Presses a key by its name in the DOM: Tab, Enter, Escape, ArrowDown. */
    void key(String name) {
        int code = switch (name) {
            case "Tab" -> 9;
            case "Enter" -> 13;
            case "Escape" -> 27;
            case "End" -> 35;
            case "Home" -> 36;
            case "ArrowLeft" -> 37;
            case "ArrowUp" -> 38;
            case "ArrowRight" -> 39;
            case "ArrowDown" -> 40;
            default -> throw new IllegalArgumentException(name);
        };
        for (String type : List.of("rawKeyDown", "keyUp")) {
            call(
                    "Input.dispatchKeyEvent",
                    Map.of("type", type, "key", name, "code", name, "windowsVirtualKeyCode", code));
        }
        settle();
    }

    /** Saves the visible page as a PNG file. */
    void screenshot(Path file) throws IOException {
        settle();
        String data = call("Page.captureScreenshot", Map.of("format", "png"))
                .get("data")
                .getAsString();
        Files.createDirectories(file.getParent());
        Files.write(file, Base64.getDecoder().decode(data));
    }

    /** {@return errors and warnings of the console, exceptions, and every requested address other than files and data} */
    List<String> troubles() {
        Predicate<JsonObject> bad = event -> {
            JsonObject of = event.getAsJsonObject("params");
            return switch (event.get("method").getAsString()) {
                case "Runtime.exceptionThrown" -> true;
                case "Runtime.consoleAPICalled" ->
                    List.of("error", "warning").contains(of.get("type").getAsString());
                case "Log.entryAdded" ->
                    !of.getAsJsonObject("entry").get("level").getAsString().equals("info");
                case "Network.requestWillBeSent" ->
                    Stream.of("file:", "data:", "blob:", "about:")
                            .noneMatch(of.getAsJsonObject("request").get("url").getAsString()::startsWith);
                default -> false;
            };
        };
        return events.stream().filter(bad).map(JsonObject::toString).toList();
    }

    @Override
    public void close() throws IOException {
        socket.abort();
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly().onExit().join();
        for (int i = 0; Files.exists(profile); i++) { // processes of the browser may still write
            try (Stream<Path> files = Files.walk(profile)) {
                for (Path file :
                        files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            } catch (IOException | UncheckedIOException e) {
                if (i > 20) {
                    throw e;
                }
            }
        }
    }
}
