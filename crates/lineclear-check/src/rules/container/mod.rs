//! Dockerfiles and compose files.

use crate::Rule;

mod add_for_copy;
mod build_in_delivery;
mod constant_platform;
mod container_name;
mod copy_before_dependencies;
mod exposed_port;
mod exposed_service_port;
mod health_dependency;
mod image;
mod image_without_healthcheck;
mod latest_image_in_delivery;
mod layers;
mod maintainer_instruction;
mod missing_dockerignore;
mod missing_env_file;
mod missing_resource_limits;
mod missing_restart;
mod obsolete_version;
mod package_manager_layer;
mod password_in_compose;
mod port_clash;
mod privileged_build_step;
mod privileged_service;
mod relative_workdir;
mod repeated_command;
mod root_image;
mod secret_in_image;
mod secret_words;
mod service_without_healthcheck;
mod service_without_image;
mod shell_form_command;
mod source_mount_in_delivery;
mod undeclared_build_argument;
mod undefined_compose_name;
mod undigested_base_image;
mod unknown_stage;
mod unpinned_base_image;
mod unused_stage;
mod unverified_download;

pub(crate) use layers::Layers;

/// In the order in which they are asked.
pub const RULES: &[&dyn Rule] = &[
    &add_for_copy::AddForCopy,
    &build_in_delivery::BuildInDelivery,
    &constant_platform::ConstantPlatform,
    &container_name::ContainerName,
    &copy_before_dependencies::CopyBeforeDependencies,
    &exposed_port::ExposedPort,
    &exposed_service_port::ExposedServicePort,
    &health_dependency::HealthDependency,
    &image_without_healthcheck::ImageWithoutHealthcheck,
    &latest_image_in_delivery::LatestImageInDelivery,
    &maintainer_instruction::MaintainerInstruction,
    &missing_dockerignore::MissingDockerignore,
    &missing_env_file::MissingEnvFile,
    &missing_resource_limits::MissingResourceLimits,
    &missing_restart::MissingRestart,
    &obsolete_version::ObsoleteVersion,
    &package_manager_layer::PackageManagerLayer,
    &password_in_compose::PasswordInCompose,
    &port_clash::PortClash,
    &privileged_build_step::PrivilegedBuildStep,
    &privileged_service::PrivilegedService,
    &relative_workdir::RelativeWorkdir,
    &repeated_command::RepeatedCommand,
    &root_image::RootImage,
    &secret_in_image::SecretInImage,
    &service_without_healthcheck::ServiceWithoutHealthcheck,
    &service_without_image::ServiceWithoutImage,
    &shell_form_command::ShellFormCommand,
    &source_mount_in_delivery::SourceMountInDelivery,
    &undeclared_build_argument::UndeclaredBuildArgument,
    &undefined_compose_name::UndefinedComposeName,
    &undigested_base_image::UndigestedBaseImage,
    &unknown_stage::UnknownStage,
    &unpinned_base_image::UnpinnedBaseImage,
    &unused_stage::UnusedStage,
    &unverified_download::UnverifiedDownload,
];
