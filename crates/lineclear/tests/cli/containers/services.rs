//! Services beside a job.

use lineclear_testkit::images::{PASSWORD, USER, busybox, docker, registry_with_login};

use super::{Ran, log_of, reason, repository};

/// A service that answers with the name of its job and says so in its log.
const WEB: &str = "
        image: IMAGE
        ports: ['80']
        env: { SAYS: 'hello from ${{ github.job }}' }
        options: >-
          --health-cmd \"wget -q -O- http://127.0.0.1/ready\" --health-interval 1s --health-retries 60
        entrypoint: sh
        command: >-
          -c \"mkdir /www && echo $SAYS > /www/index.html && sleep 2 && touch /www/ready && echo serving $SAYS && exec httpd -f -p 80 -h /www\"
";

fn web(job: &str, rest: &str) -> String {
    format!("  {job}:\n    runs-on: ubuntu-latest\n    services:\n      web:{}\n{rest}", WEB.trim_end())
}

// S4-11, S3-2
#[test]
fn trap_79_a_service_is_awaited_and_reached_by_its_port_and_by_its_name() {
    let host = web(
        "host",
        "
      none:
        image: ''
    steps:
      - run: |
          test \"$(curl -s http://localhost:${{ job.services.web.ports['80'] }}/)\" = 'hello from host'
          test '${{ job.services.web.ports['80'] == 'x' }}' = false
          echo 'ports: ${{ toJSON(job.services.web.ports) }}'
          test -n '${{ job.services.web.network }}' && test -n '${{ job.services.web.id }}'
          test -z '${{ job.services.none.id }}'
",
    );
    let inside = web(
        "inside",
        "
    container: IMAGE
    steps:
      - run: test \"$(wget -q -O- http://web/)\" = 'hello from inside'
",
    );
    let workflow = format!("on: push\njobs:\n{host}{inside}");
    let run = Ran::of(&repository("web", &workflow), &[]).succeeds();
    let ports = run.log("host").join("\n");
    let port = ports.split("\"80\": \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    assert!(port.parse::<u16>().is_ok_and(|port| port > 0), "{ports}");
    // What the service wrote is in the log of the job.
    let stopped = log_of(&run, "host", "__stop_containers");
    assert!(stopped.contains("serving hello from host"), "{stopped}");
    let steps: Vec<&str> = run
        .events("step_finished")
        .filter(|event| event["job"] == "host")
        .filter_map(|event| event["name"].as_str())
        .collect();
    assert_eq!(steps.first().copied(), Some("Initialize containers"));
    assert_eq!(steps.last().copied(), Some("Stop containers"));
}

#[test]
fn trap_80_an_unhealthy_service_fails_its_job_and_shows_its_log() {
    let workflow = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    services:
      bad:
        image: IMAGE
        options: --health-cmd false --health-interval 1s --health-retries 2
        command: sh -c 'echo it tried && sleep 600'
    steps:
      - run: echo never
      - if: always()
        run: echo cleaned up
  b:
    runs-on: ubuntu-latest
    services:
      plain:
        image: IMAGE
        command: sleep 600
    steps:
      - run: echo at once
";
    let run = Ran::of(&repository("unhealthy", workflow), &[]).fails();
    assert_eq!((run.conclusion("a"), run.conclusion("b")), ("failure", "success"), "{}", run.transcript());
    let why = reason(&run, "a", "__initialize_containers");
    assert!(why.contains("service `bad` is not healthy"), "{why}");
    assert!(log_of(&run, "a", "__initialize_containers").contains("it tried"), "{}", run.transcript());
    let log = run.log("a");
    assert!(log.iter().any(|line| line == "cleaned up") && !log.iter().any(|line| line == "never"), "{log:?}");
}

// S4-55
#[test]
fn services_of_jobs_beside_each_other_have_networks_of_their_own() {
    let job = |name: &str| {
        web(
            name,
            &format!(
                "
    container: IMAGE
    steps:
      - run: for i in 1 2 3; do test \"$(wget -q -O- http://web/)\" = 'hello from {name}'; sleep 1; done
"
            ),
        )
    };
    let workflow = format!("on: push\njobs:\n{}{}", job("one"), job("two"));
    Ran::of(&repository("apart", &workflow), &[]).succeeds();
}

#[test]
fn services_come_from_one_expression() {
    let workflow = "
on: push
jobs:
  plan:
    runs-on: ubuntu-latest
    outputs: { services: '${{ steps.plan.outputs.services }}' }
    steps:
      - id: plan
        run: |
          echo 'services={\"web\":{\"image\":\"IMAGE\",\"ports\":[80],\"env\":{\"N\":7},\"command\":\"sh -c \\\"mkdir /w && echo n=$N > /w/index.html && httpd -f -h /w\\\"\"},\"no\":{\"image\":\"\"}}' >> \"$GITHUB_OUTPUT\"
  use:
    needs: plan
    runs-on: ubuntu-latest
    services: ${{ fromJSON(needs.plan.outputs.services) }}
    steps:
      - run: |
          for i in 1 2 3 4 5 6 7 8 9; do
            if test \"$(curl -s http://localhost:${{ job.services.web.ports['80'] }}/)\" = n=7; then exit 0; fi
            sleep 1
          done
          exit 1
";
    Ran::of(&repository("expression", workflow), &[]).succeeds();
}

/// Logs in to the registry, with a configuration of the test's own.
fn push(address: &str, config: &std::path::Path) -> String {
    let name = format!("{address}/private/image:1");
    let config = config.to_string_lossy().into_owned();
    docker(&["tag", busybox(), &name]);
    docker(&["--config", &config, "login", "--username", USER, "--password", PASSWORD, address]);
    docker(&["--config", &config, "push", &name]);
    docker(&["rmi", &name]);
    name
}

#[test]
fn an_image_behind_a_login_is_pulled_with_credentials_that_are_never_shown() {
    let registry = registry_with_login();
    let config = tempfile::tempdir().expect("a folder");
    let image = push(registry.address(), config.path());
    let workflow = "
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    container:
      image: PRIVATE
      credentials: { username: USERNAME, password: '${{ secrets.REGISTRY_PASSWORD }}' }
    steps:
      - run: echo pulled, '${{ secrets.REGISTRY_PASSWORD }}' is the password
";
    let workflow = workflow.replace("PRIVATE", &image).replace("USERNAME", USER);
    let repository = repository("private", &workflow);
    // Without the secret first: nothing is on the machine yet.
    let refused = Ran::of(&repository, &[]).fails();
    let why = reason(&refused, "a", "__initialize_containers").to_owned();
    assert!(why.contains(&image), "{why}");
    assert!(refused.transcript().contains("have no password"), "{}", refused.transcript());
    let secret = format!("REGISTRY_PASSWORD={PASSWORD}");
    let run = Ran::of(&repository, &["--secret", &secret]);
    let transcript = run.run.transcript();
    docker(&["rmi", "--force", &image]);
    run.succeeds();
    assert!(transcript.contains("pulled, *** is the password"), "{transcript}");
    assert!(!transcript.contains(PASSWORD), "{transcript}");
    assert_eq!(repository.home_files_with(PASSWORD), Vec::<std::path::PathBuf>::new());
}
