//! Groups of well-known artifacts whose archives often do not say them, because Ant, Gradle or bnd built them. What this file says is as true as
//! the artifact's name is; the artifact stays a guess.

/// Artifact -> group.
const BY_NAME: &[(&str, &str)] = &[
    ("activation", "javax.activation"),
    ("ant", "org.apache.ant"),
    ("antlr", "antlr"),
    ("aopalliance", "aopalliance"),
    ("asm", "org.ow2.asm"),
    ("aspectjrt", "org.aspectj"),
    ("aspectjweaver", "org.aspectj"),
    ("avro", "org.apache.avro"),
    ("axis", "axis"),
    ("bcel", "org.apache.bcel"),
    ("bsh", "org.beanshell"),
    ("c3p0", "com.mchange"),
    ("cglib", "cglib"),
    ("commons-beanutils", "commons-beanutils"),
    ("commons-chain", "commons-chain"),
    ("commons-cli", "commons-cli"),
    ("commons-codec", "commons-codec"),
    ("commons-collections", "commons-collections"),
    ("commons-collections4", "org.apache.commons"),
    ("commons-compress", "org.apache.commons"),
    ("commons-configuration", "commons-configuration"),
    ("commons-configuration2", "org.apache.commons"),
    ("commons-csv", "org.apache.commons"),
    ("commons-daemon", "commons-daemon"),
    ("commons-dbcp", "commons-dbcp"),
    ("commons-dbcp2", "org.apache.commons"),
    ("commons-digester", "commons-digester"),
    ("commons-discovery", "commons-discovery"),
    ("commons-el", "commons-el"),
    ("commons-email", "org.apache.commons"),
    ("commons-exec", "org.apache.commons"),
    ("commons-fileupload", "commons-fileupload"),
    ("commons-httpclient", "commons-httpclient"),
    ("commons-io", "commons-io"),
    ("commons-jxpath", "commons-jxpath"),
    ("commons-lang", "commons-lang"),
    ("commons-lang3", "org.apache.commons"),
    ("commons-logging", "commons-logging"),
    ("commons-math", "org.apache.commons"),
    ("commons-math3", "org.apache.commons"),
    ("commons-net", "commons-net"),
    ("commons-pool", "commons-pool"),
    ("commons-pool2", "org.apache.commons"),
    ("commons-text", "org.apache.commons"),
    ("commons-validator", "commons-validator"),
    ("dom4j", "org.dom4j"),
    ("error_prone_annotations", "com.google.errorprone"),
    ("esapi", "org.owasp.esapi"),
    ("fastjson", "com.alibaba"),
    ("freemarker", "org.freemarker"),
    ("groovy", "org.codehaus.groovy"),
    ("groovy-all", "org.codehaus.groovy"),
    ("gson", "com.google.code.gson"),
    ("guava", "com.google.guava"),
    ("guice", "com.google.inject"),
    ("h2", "com.h2database"),
    ("hadoop-common", "org.apache.hadoop"),
    ("hibernate-validator", "org.hibernate.validator"),
    ("hikaricp", "com.zaxxer"),
    ("HikariCP", "com.zaxxer"),
    ("hsqldb", "org.hsqldb"),
    ("httpclient", "org.apache.httpcomponents"),
    ("httpcore", "org.apache.httpcomponents"),
    ("itextpdf", "com.itextpdf"),
    ("ivy", "org.apache.ivy"),
    ("javassist", "org.javassist"),
    ("javax.inject", "javax.inject"),
    ("javax.mail", "com.sun.mail"),
    ("javax.servlet-api", "javax.servlet"),
    ("jdom", "org.jdom"),
    ("jdom2", "org.jdom"),
    ("jetty-jakarta-servlet-api", "org.eclipse.jetty.toolchain"),
    ("jetty-jakarta-websocket-api", "org.eclipse.jetty.toolchain"),
    ("jetty-javax-websocket-api", "org.eclipse.jetty.toolchain"),
    ("jetty-schemas", "org.eclipse.jetty.toolchain"),
    ("jetty-servlet-api", "org.eclipse.jetty.toolchain"),
    ("jettison", "org.codehaus.jettison"),
    ("jna", "net.java.dev.jna"),
    ("joda-time", "joda-time"),
    ("jopt-simple", "net.sf.jopt-simple"),
    ("jsch", "com.jcraft"),
    ("json", "org.json"),
    ("json-path", "com.jayway.jsonpath"),
    ("json-smart", "net.minidev"),
    ("jsr305", "com.google.code.findbugs"),
    ("jsoup", "org.jsoup"),
    ("jython", "org.python"),
    ("jython-standalone", "org.python"),
    ("kafka-clients", "org.apache.kafka"),
    ("liquibase-core", "org.liquibase"),
    ("log4j", "log4j"),
    ("lucene-core", "org.apache.lucene"),
    ("mariadb-java-client", "org.mariadb.jdbc"),
    ("mssql-jdbc", "com.microsoft.sqlserver"),
    ("mybatis", "org.mybatis"),
    ("mysql-connector-j", "com.mysql"),
    ("mysql-connector-java", "mysql"),
    ("ognl", "ognl"),
    ("okhttp", "com.squareup.okhttp3"),
    ("okio", "com.squareup.okio"),
    ("oro", "oro"),
    ("postgresql", "org.postgresql"),
    ("protobuf-java", "com.google.protobuf"),
    ("protobuf-java-util", "com.google.protobuf"),
    ("quartz", "org.quartz-scheduler"),
    ("reload4j", "ch.qos.reload4j"),
    ("rhino", "org.mozilla"),
    ("scala-compiler", "org.scala-lang"),
    ("scala-library", "org.scala-lang"),
    ("scala-reflect", "org.scala-lang"),
    ("servlet-api", "javax.servlet"),
    ("snakeyaml", "org.yaml"),
    ("snappy-java", "org.xerial.snappy"),
    ("sqlite-jdbc", "org.xerial"),
    ("stax-api", "stax"),
    ("tika-core", "org.apache.tika"),
    ("velocity", "org.apache.velocity"),
    ("velocity-engine-core", "org.apache.velocity"),
    ("xalan", "xalan"),
    ("xercesImpl", "xerces"),
    ("xml-apis", "xml-apis"),
    ("xmlsec", "org.apache.santuario"),
    ("xstream", "com.thoughtworks.xstream"),
    ("zookeeper", "org.apache.zookeeper"),
];

/// Beginning of the artifact -> group, the longest first.
const BY_BEGINNING: &[(&str, &str)] = &[
    ("spring-integration-", "org.springframework.integration"),
    ("spring-security-", "org.springframework.security"),
    ("spring-session-", "org.springframework.session"),
    ("kotlin-stdlib", "org.jetbrains.kotlin"),
    ("spring-kafka", "org.springframework.kafka"),
    ("spring-batch-", "org.springframework.batch"),
    ("micronaut-", "io.micronaut"),
    ("spring-boot", "org.springframework.boot"),
    ("spring-cloud-", "org.springframework.cloud"),
    ("spring-data-", "org.springframework.data"),
    ("micrometer-", "io.micrometer"),
    ("hibernate-", "org.hibernate"),
    ("tomcat-embed-", "org.apache.tomcat.embed"),
    ("logback-", "ch.qos.logback"),
    ("tomcat-", "org.apache.tomcat"),
    ("jetty-", "org.eclipse.jetty"),
    ("log4j-", "org.apache.logging.log4j"),
    ("netty-", "io.netty"),
    ("slf4j-", "org.slf4j"),
    ("shiro-", "org.apache.shiro"),
    ("struts2-", "org.apache.struts"),
    ("bcprov-", "org.bouncycastle"),
    ("bcpkix-", "org.bouncycastle"),
    ("bcutil-", "org.bouncycastle"),
    ("bcmail-", "org.bouncycastle"),
    ("bctls-", "org.bouncycastle"),
    ("bcpg-", "org.bouncycastle"),
    ("asm-", "org.ow2.asm"),
    ("ant-", "org.apache.ant"),
    ("poi-", "org.apache.poi"),
];

/// Artifacts of the Spring Framework itself; other projects begin with `spring-` as well.
const SPRING: &[&str] = &[
    "spring-aop",
    "spring-aspects",
    "spring-beans",
    "spring-context",
    "spring-context-indexer",
    "spring-context-support",
    "spring-core",
    "spring-expression",
    "spring-instrument",
    "spring-jcl",
    "spring-jdbc",
    "spring-jms",
    "spring-messaging",
    "spring-orm",
    "spring-oxm",
    "spring-r2dbc",
    "spring-test",
    "spring-tx",
    "spring-web",
    "spring-webflux",
    "spring-webmvc",
    "spring-websocket",
];

/// Whether an artifact of exactly this name is well known.
pub(super) fn is_known(artifact: &str) -> bool {
    BY_NAME.iter().any(|(name, _)| *name == artifact) || SPRING.contains(&artifact)
}

/// The group of a well-known artifact.
pub(super) fn group_of(artifact: &str) -> Option<&'static str> {
    if SPRING.contains(&artifact) {
        return Some("org.springframework");
    }
    let exact = BY_NAME.iter().find(|(name, _)| *name == artifact);
    let beginning = || BY_BEGINNING.iter().find(|(beginning, _)| artifact.starts_with(beginning));
    exact.or_else(beginning).map(|(_, group)| *group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_artifacts_have_their_group() {
        let check = |artifact: &str, expected: Option<&str>| assert_eq!(group_of(artifact), expected, "{artifact}");
        check("spring-core", Some("org.springframework"));
        check("spring-boot-starter", Some("org.springframework.boot"));
        check("spring-security-core", Some("org.springframework.security"));
        check("spring-something", None);
        check("log4j", Some("log4j"));
        check("log4j-core", Some("org.apache.logging.log4j"));
        check("tomcat-embed-core", Some("org.apache.tomcat.embed"));
        check("tomcat-util", Some("org.apache.tomcat"));
        check("", None);
        let names: std::collections::BTreeSet<_> = BY_NAME.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), BY_NAME.len());
    }
}
