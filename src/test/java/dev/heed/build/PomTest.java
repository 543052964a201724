package dev.heed.build;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.Node;

/** Checks the dependencies that a user of the library inherits from the pom, and the versions in the pom of the benchmarks. */
class PomTest {
    @Test
    void onlyJoclReachesLibraryUsers() throws Exception {
        var inherited = new TreeSet<String>();
        for (Element dependency : children(child(project("pom.xml"), "dependencies"))) {
            boolean optional = text(dependency, "optional").equals("true");
            if (!optional && !text(dependency, "scope").equals("test")) {
                inherited.add(text(dependency, "groupId") + ":" + text(dependency, "artifactId"));
            }
        }
        assertEquals(List.of("org.jocl:jocl"), List.copyOf(inherited));
    }

    /** The pom of the benchmarks has no parent, so it repeats versions of the main pom. Both must state the same versions. */
    @Test
    void theBenchmarksTakeTheSameVersions() throws Exception {
        Element library = project("pom.xml");
        Element benchmarks = project("src/jmh/pom.xml");
        assertEquals(text(library, "version"), text(benchmarks, "version"));
        Map<String, String> known = properties(library);
        Map<String, String> theirs = properties(benchmarks);
        theirs.keySet().retainAll(known.keySet());
        known.keySet().retainAll(theirs.keySet());
        assertTrue(known.size() >= 9, known::toString);
        assertEquals(known, theirs);
    }

    private static Map<String, String> properties(Element project) {
        return children(child(project, "properties")).stream()
                .collect(Collectors.toMap(
                        Element::getTagName, element -> element.getTextContent().strip(), (a, b) -> b, TreeMap::new));
    }

    private static Element project(String file) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(Path.of(file).toFile())
                .getDocumentElement();
    }

    private static List<Element> children(Node parent) {
        var elements = new ArrayList<Element>();
        for (Node node = parent.getFirstChild(); node != null; node = node.getNextSibling()) {
            if (node instanceof Element element) {
                elements.add(element);
            }
        }
        return elements;
    }

    private static Element child(Node parent, String name) {
        return children(parent).stream()
                .filter(element -> element.getTagName().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static String text(Node parent, String name) {
        return children(parent).stream()
                .filter(element -> element.getTagName().equals(name))
                .map(element -> element.getTextContent().strip())
                .findFirst()
                .orElse("");
    }
}
