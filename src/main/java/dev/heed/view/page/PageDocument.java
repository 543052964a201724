package dev.heed.view.page;

import dev.heed.view.text.SvgText;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.zip.DeflaterOutputStream;

/**
 * The HTML file of a page: a template, the style, the scripts in one function, and the payload. A content security
 * policy permits only this script and this style, by their hashes, and forbids loading anything from elsewhere.
 */
public final class PageDocument {
    /** The scripts in the order of their dependencies; {@code page.js} starts the page. */
    private static final List<String> SCRIPTS = List.of(
            "payload.js",
            "inflate.js",
            "matrix.js",
            "state.js",
            "svg.js",
            "scene.js",
            "lines.js",
            "heatmap.js",
            "heads.js",
            "controls.js",
            "details.js",
            "export.js",
            "page.js");

    private static final String WEIGHTS = "{{weights}}";

    private PageDocument() {}

    public static void write(OutputStream out, String title, String json, List<PageLayer> layers) throws IOException {
        String style = resource("page.css");
        String script = SCRIPTS.stream()
                .map(PageDocument::resource)
                .collect(Collectors.joining("\n", "(() => {\n\"use strict\";\n", "})();\n"));
        Map<String, String> parts = Map.of(
                "{{policy}}",
                "default-src 'none'; img-src data: blob:; script-src 'sha256-" + hash(script) + "'; style-src 'sha256-"
                        + hash(style) + "'",
                "{{title}}",
                SvgText.escape(title),
                "{{style}}",
                style,
                "{{json}}",
                json,
                "{{script}}",
                script);
        String template = resource("page.html");
        int weights = template.indexOf(WEIGHTS);
        write(out, template.substring(0, weights), parts);
        pack(out, layers);
        write(out, template.substring(weights + WEIGHTS.length()), parts);
    }

    /** Fills the template in one pass, so that inserted texts are not interpreted as templates. */
    private static void write(OutputStream out, String template, Map<String, String> parts) throws IOException {
        var text = new StringBuilder();
        int at = 0;
        while (at < template.length()) {
            int open = template.indexOf("{{", at);
            int close = template.indexOf("}}", Math.max(open, 0)) + 2;
            if (open < 0) {
                text.append(template, at, template.length());
                break;
            }
            text.append(template, at, open).append(parts.get(template.substring(open, close)));
            at = close;
        }
        out.write(text.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static void pack(OutputStream out, List<PageLayer> layers) throws IOException {
        OutputStream base64 = Base64.getEncoder().wrap(new OpenEnded(out));
        try (var packed = new DeflaterOutputStream(base64)) {
            for (PageLayer layer : layers) {
                for (byte[] head : layer.heads()) {
                    packed.write(head);
                }
            }
        }
    }

    /** A stream that stays open when the Base64 encoder is closed. */
    private static final class OpenEnded extends java.io.FilterOutputStream {
        OpenEnded(OutputStream out) {
            super(out);
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            out.write(bytes, from, count);
        }

        @Override
        public void close() throws IOException {
            out.flush();
        }
    }

    private static String hash(String text) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return Base64.getEncoder().encodeToString(digest);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static String resource(String name) {
        try (InputStream in = PageDocument.class.getResourceAsStream("/view/" + name)) {
            if (in == null) {
                throw new IllegalStateException("the jar lacks its resource view/" + name);
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("reading the resource view/" + name, e);
        }
    }
}
