package dev.heed.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import dev.heed.backend.reference.ReferenceBackend;
import java.util.List;
import org.junit.jupiter.api.Test;

class DevicesCommandTest {
    private static final BrokenBackend NOT_READY = new BrokenBackend(BrokenBackend.Fault.NOT_READY);

    @Test
    void listsWhatIsReadyAndAllReasonsOfWhatIsNot() {
        String out = Heed.run(List.of(NOT_READY, new ReferenceBackend()), "devices")
                .succeeded()
                .out();
        assertTrue(out.startsWith("machine    "), out);
        assertTrue(out.contains("broken     not ready, because"), out);
        assertTrue(out.contains("           libBroken.so is missing: apt install broken"), out);
        assertTrue(out.contains("           and it rains"), out);
        assertTrue(out.contains("reference  ready"), out);
    }

    @Test
    void json() {
        JsonObject json = Heed.run(List.of(NOT_READY, new ReferenceBackend()), "devices", "--json")
                .succeeded()
                .json();
        assertTrue(json.getAsJsonObject("machine").get("cores").getAsInt() > 0);
        JsonObject broken = json.getAsJsonArray("backends").get(0).getAsJsonObject();
        assertEquals("broken", broken.get("name").getAsString());
        assertEquals(false, broken.get("ready").getAsBoolean());
        assertEquals(2, broken.getAsJsonArray("reasons").size());
        assertEquals(0, broken.getAsJsonArray("devices").size());
        assertEquals(
                true,
                json.getAsJsonArray("backends")
                        .get(1)
                        .getAsJsonObject()
                        .get("ready")
                        .getAsBoolean());
    }

    @Test
    void withoutAnyBackend() {
        assertTrue(Heed.run(List.of(), "devices").succeeded().out().contains("no backend was found"));
        Heed.run(List.of(), "devices", "--json").succeeded().json();
    }

    @Test
    void theBackendsOfThisProcess() {
        assertEquals(0, Heed.run(Surroundings.ofThisProcess(), "devices").code());
    }
}
