package dev.heed.cli;

import com.google.gson.JsonObject;
import dev.heed.AttentionBackend;
import dev.heed.machine.Machine;
import dev.heed.view.VisibleText;
import java.util.List;
import picocli.CommandLine.Command;

/** {@code heed devices}: the machine, and what every backend says about it. */
@Command(
        name = "devices",
        description = {
            "List the machine and all backends: the devices of those that are ready, the reasons of those that are not"
                    + " and what to install for them.",
            "The automatic choice takes the first backend in the list that can compute a problem."
        },
        footer = {"", "Examples:", "  heed devices", "  heed devices --json"})
final class DevicesCommand extends HeedCommand {
    DevicesCommand(Surroundings surroundings) {
        super(surroundings);
    }

    @Override
    public Integer call() {
        Machine machine = Machine.current();
        if (asJson()) {
            printJson(machine);
            return OK;
        }
        out().println("machine    " + machine.describe());
        for (AttentionBackend backend : surroundings().backends()) {
            List<String> reasons = backend.notReadyReasons();
            boolean ready = reasons.isEmpty();
            out().println(VisibleText.padRight(backend.name(), 10) + " " + (ready ? "ready" : "not ready, because"));
            (ready ? backend.devices() : reasons).forEach(line -> out().println(" ".repeat(11) + VisibleText.of(line)));
        }
        if (surroundings().backends().isEmpty()) {
            out().println("no backend was found");
        }
        return OK;
    }

    private void printJson(Machine machine) {
        var it = new JsonObject();
        it.addProperty("system", machine.system());
        it.addProperty("cores", machine.cores());
        it.addProperty("memoryBytes", machine.memoryBytes());
        it.addProperty("java", machine.java());
        it.addProperty(
                "vectorBits",
                machine.vectorBits().isPresent() ? machine.vectorBits().getAsInt() : null);
        it.add("vectorReasons", JsonText.texts(machine.vectorReasons()));
        var root = new JsonObject();
        root.add("machine", it);
        root.add("backends", JsonText.array(surroundings().backends(), backend -> {
            List<String> reasons = backend.notReadyReasons();
            var entry = new JsonObject();
            entry.addProperty("name", backend.name());
            entry.addProperty("priority", backend.priority());
            entry.addProperty("ready", reasons.isEmpty());
            entry.add("devices", JsonText.texts(reasons.isEmpty() ? backend.devices() : List.of()));
            entry.add("reasons", JsonText.texts(reasons));
            return entry;
        }));
        print(root);
    }
}
