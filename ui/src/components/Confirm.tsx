// Asks before something that cannot be undone.
import { Button, Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { FormProblem } from "./FormProblem";
import classes from "./Confirm.module.css";

interface ConfirmProps {
  isOpen: boolean;
  title: string;
  action: string;
  onConfirm: () => void;
  onClose: () => void;
  isPending: boolean;
  error: unknown;
  children: ReactNode;
}

export function Confirm({ isOpen, title, action, onConfirm, onClose, isPending, error, children }: ConfirmProps) {
  return (
    <Modal opened={isOpen} onClose={onClose} title={title} closeButtonProps={{ "aria-label": "Close" }}>
      <div className={classes.body}>
        <p>{children}</p>
        {error !== null && <FormProblem error={error} />}
        <div className={classes.buttons}>
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button onClick={onConfirm} loading={isPending}>
            {action}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
