//! Dockerfiles and compose files.

use crate::Rule;

mod add_for_copy;
mod constant_platform;
mod copy_before_dependencies;
mod exposed_service_port;
mod image;
mod image_without_healthcheck;
mod maintainer_instruction;
mod missing_dockerignore;
mod privileged_build_step;
mod relative_workdir;
mod repeated_command;
mod root_image;
mod secret_in_image;
mod secret_words;
mod shell_form_command;
mod undeclared_build_argument;
mod undigested_base_image;
mod unknown_stage;
mod unpinned_base_image;
mod unused_stage;
mod unverified_download;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[
    &add_for_copy::AddForCopy,
    &constant_platform::ConstantPlatform,
    &copy_before_dependencies::CopyBeforeDependencies,
    &exposed_service_port::ExposedServicePort,
    &image_without_healthcheck::ImageWithoutHealthcheck,
    &maintainer_instruction::MaintainerInstruction,
    &missing_dockerignore::MissingDockerignore,
    &privileged_build_step::PrivilegedBuildStep,
    &relative_workdir::RelativeWorkdir,
    &repeated_command::RepeatedCommand,
    &root_image::RootImage,
    &secret_in_image::SecretInImage,
    &shell_form_command::ShellFormCommand,
    &undeclared_build_argument::UndeclaredBuildArgument,
    &undigested_base_image::UndigestedBaseImage,
    &unknown_stage::UnknownStage,
    &unpinned_base_image::UnpinnedBaseImage,
    &unused_stage::UnusedStage,
    &unverified_download::UnverifiedDownload,
];
