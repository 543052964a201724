package dev.heed.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.heed.cli.console.JsonText;
import dev.heed.cli.console.TextTable;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;

class TextTest {
    @Test
    void jsonSurvivesWhateverItHolds() {
        var object = new JsonObject();
        object.addProperty("text", "注 \"<\n\u001b😀");
        object.add("none", JsonNull.INSTANCE);
        object.add("nan", JsonText.number(Double.NaN));
        object.add("infinite", JsonText.number(Double.NEGATIVE_INFINITY));
        object.add("number", JsonText.number(0.1));
        object.add("empty", new JsonArray());
        object.add("list", JsonText.texts(List.of("a", "b")));
        object.addProperty("yes", true);
        assertEquals("""
                {
                  "text": "\\u6ce8 \\"<\\n\\u001b\\ud83d\\ude00",
                  "none": null,
                  "nan": "NaN",
                  "infinite": "-Infinity",
                  "number": 0.1,
                  "empty": [],
                  "list": [
                    "a",
                    "b"
                  ],
                  "yes": true
                }""", JsonText.of(object));
        assertEquals(object, JsonParser.parseString(JsonText.of(object)));
    }

    @Test
    void tablesAlignNumbersRightAndTextLeft() {
        var out = new StringWriter();
        new TextTable("word", "weight", "note")
                .row("it", "0.5", "a\nb")
                .row("注意", "10.25", "-")
                .row("x", "-", "")
                .print(new PrintWriter(out, true));
        assertEquals("""
                word  weight  note
                it       0.5  a\\nb
                注意   10.25  -
                x          -
                """, out.toString().replace(System.lineSeparator(), "\n"));
    }

    @Test
    void aTableOfNothingIsItsHeader() {
        var out = new StringWriter();
        new TextTable("a", "b").print(new PrintWriter(out, true));
        assertEquals("a  b", out.toString().strip());
    }
}
