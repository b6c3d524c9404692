//! `container` and `services`.

use lineclear_expr::{Allowed, Template};
use lineclear_source::{Span, Spanned};
use lineclear_yaml::{Entry, Node};

use super::mapping::Fields;
use super::scalar::{has_expression, text_of};
use super::{Reader, keys};
use crate::{Container, Credentials, Service, Text, code};

impl Reader {
    /// `container`: an image, or a mapping with it.
    pub(super) fn container(&mut self, node: &Node) -> Option<Container> {
        if let Node::Scalar(_) = node {
            return Some(Container::of_image(self.text(node, "`container`", &Allowed::JOB_CONTAINER)?));
        }
        let fields = self.fields(node, "`container`", &keys::CONTAINER)?;
        self.container_fields(&fields, "`container`")
    }

    pub(super) fn service(&mut self, entry: &Entry) -> Option<Service> {
        let id = Spanned::new(text_of(&entry.key), entry.key.span);
        let place = format!("service `{}`", id.value);
        if let Node::Scalar(_) = &entry.value {
            let container = Container::of_image(self.filled_text(&entry.value, &place, &Allowed::JOB_CONTAINER)?);
            return Some(Service { id, container, entrypoint: None, command: None });
        }
        let fields = self.fields(&entry.value, &place, &keys::SERVICE)?;
        let container = self.container_fields(&fields, &place);
        let entrypoint =
            fields.get("entrypoint").and_then(|node| self.text(node, "`entrypoint`", &Allowed::JOB_CONTAINER));
        let command = fields.get("command").and_then(|node| self.text(node, "`command`", &Allowed::JOB_CONTAINER));
        Some(Service { id, container: container?, entrypoint, command })
    }

    fn container_fields(&mut self, fields: &Fields<'_>, of: &str) -> Option<Container> {
        let image = match fields.get("image") {
            // An empty image means no container: accepted, since the value may be written by a tool.
            Some(node) => self.text(node, "`image`", &Allowed::JOB_CONTAINER),
            None => {
                self.missing("image", of, fields.span);
                None
            }
        };
        let credentials = fields.get("credentials").and_then(|node| self.credentials(node));
        let env = fields.get("env").and_then(|node| self.env(node, &Allowed::JOB_CONTAINER_ENV));
        let ports = self.container_list(fields, "ports");
        let volumes = self.container_list(fields, "volumes");
        let options = fields.get("options").and_then(|node| self.text(node, "`options`", &Allowed::JOB_CONTAINER));
        Some(Container { image: image?, credentials, env, ports, volumes, options, span: fields.span })
    }

    /// `ports` or `volumes`. One expression may give the whole sequence.
    fn container_list(&mut self, fields: &Fields<'_>, key: &str) -> Vec<Text> {
        let Some(node) = fields.get(key) else { return Vec::new() };
        let place = format!("`{key}`");
        match node {
            Node::Scalar(scalar) if has_expression(&scalar.text) => {
                self.scalar_text(scalar, &Allowed::JOB_CONTAINER).into_iter().collect()
            }
            Node::Sequence { .. } => self.texts(node, &place, &Allowed::JOB_CONTAINER).unwrap_or_default(),
            _ => {
                self.wrong_type(node, &place, "a sequence");
                Vec::new()
            }
        }
    }

    fn credentials(&mut self, node: &Node) -> Option<Credentials> {
        if let Node::Scalar(scalar) = node
            && has_expression(&scalar.text)
        {
            let whole = self.scalar_text(scalar, &Allowed::JOB_CONTAINER_CREDENTIALS)?;
            return Some(Credentials {
                username: member_of(&whole, "username", &Allowed::JOB_CONTAINER_CREDENTIALS)?,
                password: member_of(&whole, "password", &Allowed::JOB_CONTAINER_CREDENTIALS)?,
            });
        }
        let fields = self.fields(node, "`credentials`", &keys::CREDENTIALS)?;
        let mut part = |key: &str| match fields.get(key) {
            Some(node) => self.text(node, &format!("`{key}`"), &Allowed::JOB_CONTAINER_CREDENTIALS),
            None => {
                self.missing(key, "`credentials`", fields.span);
                None
            }
        };
        let (username, password) = (part("username"), part("password"));
        Some(Credentials { username: username?, password: password? })
    }

    /// `services`: each a container. One expression may give the whole mapping.
    pub(super) fn services(&mut self, node: &Node) -> (Vec<Service>, Option<Text>) {
        if let Node::Scalar(scalar) = node
            && has_expression(&scalar.text)
        {
            return (Vec::new(), self.scalar_text(scalar, &Allowed::JOB_CONTAINER));
        }
        let Some(fields) = self.mapping(node, "`services`") else { return (Vec::new(), None) };
        let mut services = Vec::new();
        for entry in fields.entries() {
            if has_expression(&entry.key.text) {
                self.dynamic_name(entry.key.span, "a service");
            } else {
                services.extend(self.service(entry));
            }
        }
        (services, None)
    }

    pub(super) fn dynamic_name(&mut self, span: Span, what: &str) {
        self.error(code::EXPRESSION_NOT_ALLOWED, span, format!("the name of {what} cannot be an expression"));
    }
}

impl Container {
    fn of_image(image: Text) -> Self {
        let span = image.span();
        Self { image, credentials: None, env: None, ports: Vec::new(), volumes: Vec::new(), options: None, span }
    }
}

/// `${{ (whole).name }}` for a block that is one expression.
fn member_of(whole: &Text, name: &str, allowed: &Allowed) -> Option<Text> {
    let expressions = whole.template.expressions();
    let [expression] = expressions.as_slice() else { return None };
    let template = Template::parse(&format!("${{{{ ({}).{name} }}}}", expression.text()), Some(allowed)).ok()?;
    Some(Text { template, scalar: whole.scalar.clone() })
}
